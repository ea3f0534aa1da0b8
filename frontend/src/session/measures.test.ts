import { expect, test } from "vitest";

import type { Bitmap } from "../document/mask";
import { tightMask } from "../document/mask";
import type { Pixels } from "../tools/pixels";
import { type Measures, measure, measureCell } from "./measures";

/** A mask from a picture of it: rows of "#" and ".". */
function drawn(rows: readonly string[], x = 0, y = 0) {
  const bitmap: Bitmap = { box: [x, y, x + rows[0].length, y + rows.length], bits: Uint8Array.from([...rows.join("")].map((pixel) => (pixel === "#" ? 1 : 0))) };
  const mask = tightMask(bitmap);
  if (!mask) throw new Error("an empty drawing");
  return mask;
}

const disk = Array.from({ length: 21 }, (_, y) => Array.from({ length: 21 }, (_, x) => ((x - 10) ** 2 + (y - 10) ** 2 <= 64 ? "#" : ".")).join(""));
const block = Array.from({ length: 10 }, () => "######");
const corner = ["##......", "##......", "##......", "##......", "##......", "##......", "########", "########"];

// Perimeters as scikit-image's `measure.perimeter` gives them for the same masks.
test.each<[string, readonly string[], number, number]>([
  ["a disk", disk, 197, 52.2842712474619],
  ["a block", block, 60, 28],
  ["a corner", corner, 28, 25],
])("%s is measured as scikit-image measures it", (_, rows, area, perimeter) => {
  const found: Measures = measure(drawn(rows, 5, 7));
  expect(found.area).toBe(area);
  expect(found.perimeter).toBeCloseTo(perimeter, 6);
});

test("a disk is rounder than a corner, and its centre is its middle", () => {
  const round = measure(drawn(disk, 30, 40));
  expect(round.roundness).toBeGreaterThan(0.9);
  expect(measure(drawn(corner)).roundness).toBeLessThan(0.6);
  expect(round.centre).toEqual({ x: 40.5, y: 50.5 });
});

test("mean intensities are of the cell's pixels alone, and a channel that did not load is said to be unknown", async () => {
  const pixels: Pixels = {
    channel: 0,
    read: (box, channel) => (channel === 1 ? Promise.reject(new Error("offline")) : Float32Array.from({ length: (box[2] - box[0]) * (box[3] - box[1]) }, (_, index) => index)),
  };
  const found = await measureCell(drawn(["#.", "##"]), pixels, 2);
  expect(found.means).toEqual([(0 + 2 + 3) / 3, null]);
});
