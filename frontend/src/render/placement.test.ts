import fc from "fast-check";
import { expect, test } from "vitest";

import { boxIntersect, boxIsEmpty } from "../document/box";
import { toScreen } from "./camera";
import { cameraOf, deviceBox, imageBox, placementOf, tilesIn } from "./placement";

const canvas = { width: 1001, height: 700 };
const image = { width: 20_000, height: 15_000 };
const cameras = fc.record({
  x: fc.double({ min: 0, max: image.width, noNaN: true }),
  y: fc.double({ min: 0, max: image.height, noNaN: true }),
  zoom: fc.double({ min: 0.02, max: 64, noNaN: true }),
});
const ratios = fc.constantFrom(1, 1.25, 2);

test("a placement is within half a device pixel of its camera", () => {
  fc.assert(
    fc.property(cameras, ratios, (camera, ratio) => {
      const placement = placementOf(camera, canvas, ratio);
      const viewport = { width: canvas.width / ratio, height: canvas.height / ratio };
      const wanted = toScreen(camera, viewport, 100, 200);
      expect(Math.abs(wanted.x * ratio - (100 * placement.scale - placement.left))).toBeLessThan(0.51);
      const shown = toScreen(cameraOf(placement, canvas, ratio), viewport, 100, 200);
      expect(shown.x * ratio).toBeCloseTo(100 * placement.scale - placement.left, 4);
      expect(shown.y * ratio).toBeCloseTo(200 * placement.scale - placement.top, 4);
    }),
  );
});

test("cameras of one zoom differ by whole device pixels", () => {
  const [a, b] = [placementOf({ x: 10.3, y: 8, zoom: 1.7 }, canvas, 1.25), placementOf({ x: 99.9, y: 7, zoom: 1.7 }, canvas, 1.25)];
  expect([a.left, a.top, b.left, b.top].every(Number.isInteger)).toBe(true);
  expect(a.scale).toBe(b.scale);
});

test("device pixels of a box hold all of it", () => {
  fc.assert(
    fc.property(cameras, (camera) => {
      const placement = placementOf(camera, canvas, 1);
      const back = imageBox(deviceBox([40, 50, 60, 90], placement, 0), placement);
      expect(back[0] <= 40.001 && back[1] <= 50.001 && back[2] >= 59.999 && back[3] >= 89.999).toBe(true);
    }),
  );
});

test("tiles cover what is seen of the image, once and without gaps", () => {
  fc.assert(
    fc.property(cameras, fc.constantFrom(512, 2048), (camera, span) => {
      const placement = placementOf({ ...camera, zoom: Math.max(camera.zoom, 0.05) }, canvas, 1);
      const part = [13, 20, 640, 411] as const;
      const tiles = tilesIn(part, placement, image, span);
      const seen = boxIntersect(part, [
        -placement.left,
        -placement.top,
        image.width * placement.scale - placement.left,
        image.height * placement.scale - placement.top,
      ]);
      const area = tiles.reduce((sum, { target }) => sum + (target[2] - target[0]) * (target[3] - target[1]), 0);
      expect(area).toBeCloseTo(boxIsEmpty(seen) ? 0 : (seen[2] - seen[0]) * (seen[3] - seen[1]), 3);
      for (const { row, column, target } of tiles) {
        const right = tiles.find((other) => other.row === row && other.column === column + 1);
        if (right) expect(right.target[0]).toBe(target[2]);
      }
    }),
  );
});
