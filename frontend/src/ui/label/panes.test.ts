import { expect, test } from "vitest";

import { paneGrid } from "./panes";

test("square images stand side by side in a wide window", () => {
  expect(paneGrid(2, { width: 1000, height: 600 }, { width: 512, height: 512 })).toEqual({ columns: 2, rows: 1 });
});

test("wide images stand one above the other", () => {
  expect(paneGrid(2, { width: 1000, height: 600 }, { width: 2000, height: 500 })).toEqual({ columns: 1, rows: 2 });
});

test("every pane has a place", () => {
  const { columns, rows } = paneGrid(5, { width: 1000, height: 800 }, { width: 512, height: 512 });
  expect(columns * rows).toBeGreaterThanOrEqual(5);
});
