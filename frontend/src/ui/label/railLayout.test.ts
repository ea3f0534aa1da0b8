import { expect, test } from "vitest";

import { railLayout } from "./railLayout";

test("few tools have their full height", () => {
  expect(railLayout(800, 8, 3, 1)).toEqual({ tool: 40, shown: 8 });
});

test("twenty tools become shorter in a low window, and all are there", () => {
  const { tool, shown } = railLayout(696, 18, 4, 1);
  expect(shown).toBe(18);
  expect(tool).toBeGreaterThanOrEqual(30);
  expect(tool).toBeLessThan(40);
});

test("what does not fit goes into the menu, and nothing is cut off", () => {
  const { tool, shown } = railLayout(500, 24, 4, 1);
  expect(shown).toBeLessThan(24);
  expect((shown + 2) * (tool + 2) + 12 + 40).toBeLessThanOrEqual(500);
});
