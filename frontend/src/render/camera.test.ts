import fc from "fast-check";
import { expect, test } from "vitest";

import { clamp, fit, levelFor, MAX_ZOOM, minZoom, pan, reveal, toImage, toScreen, visibleBox, zoomAt } from "./camera";

const image = { width: 900, height: 500 };
const viewport = { width: 1000, height: 800 };
const cameras = fc.record({
  x: fc.double({ min: 0, max: 900, noNaN: true }),
  y: fc.double({ min: 0, max: 500, noNaN: true }),
  zoom: fc.double({ min: 0.6, max: 60, noNaN: true }),
});
const points = fc.record({ x: fc.integer({ min: 0, max: 1000 }), y: fc.integer({ min: 0, max: 800 }) });

test("it works", () => {
  const camera = fit(image, viewport);
  expect(toScreen(camera, viewport, 450, 250)).toEqual({ x: 500, y: 400 });
  const [x0, y0, x1, y1] = visibleBox(camera, viewport);
  expect(x0 <= 0 && y0 <= 0 && x1 >= 900 && y1 >= 500).toBe(true);
});

test("screen and image are each other's inverse", () => {
  fc.assert(
    fc.property(cameras, points, (camera, point) => {
      const there = toImage(camera, viewport, point.x, point.y);
      const back = toScreen(camera, viewport, there.x, there.y);
      expect(back.x).toBeCloseTo(point.x, 6);
      expect(back.y).toBeCloseTo(point.y, 6);
    }),
  );
});

test("zooming holds the point under the pointer, unless the image would be lost", () => {
  fc.assert(
    fc.property(cameras, points, fc.double({ min: 0.5, max: 2, noNaN: true }), (camera, point, factor) => {
      const held = toImage(camera, viewport, point.x, point.y);
      const next = zoomAt(camera, image, viewport, point, factor);
      fc.pre(next.x > 0 && next.x < image.width && next.y > 0 && next.y < image.height);
      const now = toScreen(next, viewport, held.x, held.y);
      expect(now.x).toBeCloseTo(point.x, 4);
      expect(now.y).toBeCloseTo(point.y, 4);
    }),
  );
});

test("panning follows the hand and stops with the image in the middle", () => {
  const camera = { x: 450, y: 250, zoom: 2 };
  expect(pan(camera, image, viewport, 20, -10)).toEqual({ x: 440, y: 255, zoom: 2 });
  expect(pan(camera, image, viewport, 1e6, 1e6)).toEqual({ x: 0, y: 0, zoom: 2 });
});

test("zoom has ends", () => {
  expect(clamp({ x: 0, y: 0, zoom: 1e9 }, image, viewport).zoom).toBe(MAX_ZOOM);
  expect(clamp({ x: 0, y: 0, zoom: 0 }, image, viewport).zoom).toBe(minZoom(image, viewport));
});

test("revealing moves only when the cell is out of view", () => {
  const camera = { x: 450, y: 250, zoom: 4 };
  expect(reveal(camera, viewport, [440, 240, 460, 260])).toBe(camera);
  expect(reveal(camera, viewport, [0, 0, 20, 20])).toEqual({ x: 10, y: 10, zoom: 4 });
});

test("a cell behind what floats over the corner is not in view", () => {
  const camera = { x: 450, y: 250, zoom: 1 };
  const [x0, y0] = visibleBox(camera, viewport);
  const cell = [x0 + 20, y0 + 20, x0 + 40, y0 + 40] as const;
  expect(reveal(camera, viewport, cell)).toBe(camera);
  expect(reveal(camera, viewport, cell, { width: 100, height: 100 })).toEqual({ x: x0 + 30, y: y0 + 30, zoom: 1 });
  expect(reveal(camera, viewport, cell, { width: 10, height: 100 })).toBe(camera);
});

test.each([[4, 0], [1, 0], [0.6, 0], [0.5, 1], [0.26, 1], [0.25, 2], [0.001, 3]])("at zoom %f the level is %i of 4", (zoom, level) => {
  expect(levelFor(zoom, 4)).toBe(level);
});
