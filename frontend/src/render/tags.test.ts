import { expect, test } from "vitest";

import { overlaps, tagPlace } from "./tags";

const viewport = { width: 400, height: 300 };

test("a tag stays in view at the edge of the picture, and goes with a cell that is out of view", () => {
  expect(tagPlace(40, { x: 100, y: 100 }, viewport)).toEqual({ left: 100, top: 82, width: 40 });
  expect(tagPlace(40, { x: 390, y: 5 }, viewport)).toEqual({ left: 360, top: 0, width: 40 });
  expect(tagPlace(40, { x: -10, y: 100 }, viewport)?.left).toBe(0);
  expect(tagPlace(40, { x: 401, y: 100 }, viewport)).toBeNull();
  expect(tagPlace(40, { x: 100, y: -1 }, viewport)).toBeNull();
});

test("tags that share a pixel overlap, and neighbours do not", () => {
  const tag = { left: 100, top: 82, width: 40 };
  expect(overlaps(tag, { left: 139, top: 99, width: 40 })).toBe(true);
  expect(overlaps(tag, { left: 140, top: 82, width: 40 })).toBe(false);
  expect(overlaps(tag, { left: 100, top: 100, width: 40 })).toBe(false);
});
