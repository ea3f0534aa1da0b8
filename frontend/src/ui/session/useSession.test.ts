import { expect, test } from "vitest";

import { nextPath } from "./useSession";

test("it goes back to where the visitor wanted to go", () => {
  expect(nextPath("/projects/4?status=ready")).toBe("/projects/4?status=ready");
  expect(nextPath(null)).toBe("/");
});

test.each(["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""])("it never leaves the site for %s", (next) => {
  expect(nextPath(next)).toBe("/");
});
