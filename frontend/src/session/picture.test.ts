import { beforeEach, expect, test } from "vitest";

import { defaultLooks, forgetLook, isColorPicture, saveLook, savedLook } from "./contrast";
import { histogramOf, logHeights } from "./histogram";
import { fit, toScreen } from "../render/camera";
import { type Covers, fitUncovered } from "./fitting";
import { areaFigure, areaWords } from "./measures";

beforeEach(() => localStorage.clear());

test("it works: the range follows the samples, not the type's limits", () => {
  const samples = Uint16Array.from({ length: 10_000 }, (_, i) => (i < 9_000 ? 100 + (i % 20) : 2_000 + (i % 500)));
  const { auto, max, counts } = histogramOf(samples);
  expect(auto.low).toBe(100);
  expect(auto.high).toBeGreaterThan(2_400);
  expect(max).toBe(2_499);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_000);
});

test("a flat image still has a range", () => {
  expect(histogramOf(new Uint8Array(64)).auto).toEqual({ low: 0, high: 1 });
});

test("bars are logarithmic", () => {
  const [few, many, none] = logHeights([10, 10_000, 0]);
  expect(few).toBeGreaterThan(0.2);
  expect([many, none]).toEqual([1, 0]);
});

test("contrast is kept per project and channel, and nonsense in the storage is ignored", () => {
  const [look] = defaultLooks(["DNA", "Actin"], "uint16");
  saveLook("p1", "DNA", { ...look, low: 12, gamma: 0.8 });
  expect(savedLook("p1", "DNA")).toMatchObject({ low: 12, gamma: 0.8 });
  expect(savedLook("p2", "DNA")).toBeNull();
  forgetLook("p1", "DNA");
  expect(savedLook("p1", "DNA")).toBeNull();
  localStorage.setItem("cellloop.contrast.p1.DNA", '{"low":"x"}');
  expect(savedLook("p1", "DNA")).toBeNull();
});

test("a camera picture keeps its own colors", () => {
  expect(isColorPicture(["Red", "Green", "Blue"])).toBe(true);
  expect(isColorPicture(["Red", "Green"])).toBe(false);
  expect(defaultLooks(["Red", "Green", "Blue"], "uint8").map((look) => look.color)).toEqual([[255, 0, 0], [0, 255, 0], [0, 0, 255]]);
});

test("areas carry their unit", () => {
  expect(areaWords(1_234, null)).toBe("1,234 px");
  expect(areaWords(437, 0.4)).toBe("70 µm²");
  expect(areaFigure(10, 0.4)).toBe("1.6");
});

test("a fitted image leaves the tool card's corner free, beside it or below it", () => {
  const card = { width: 240, height: 300 };
  const wide = { width: 1000, height: 600 };
  const corner = (image: { width: number; height: number }, viewport: typeof wide) => toScreen(fitUncovered(image, viewport, { "top-left": card }), viewport, 0, 0);
  expect(fitUncovered({ width: 100, height: 600 }, wide, { "top-left": card })).toEqual(fit({ width: 100, height: 600 }, wide));
  expect(corner({ width: 900, height: 500 }, wide).x).toBeGreaterThanOrEqual(card.width);
  expect(corner({ width: 400, height: 200 }, { width: 600, height: 900 }).y).toBeGreaterThanOrEqual(card.height);
});

test("a fitted image lies under nothing that floats over the picture, whatever its form and the window's", () => {
  const covers: Covers = { "top-left": { width: 236, height: 364 }, "top-right": { width: 56, height: 114 }, "bottom-right": { width: 168, height: 52 } };
  const sizes = [200, 512, 640, 1024, 4096];
  const windows = [{ width: 1086, height: 828 }, { width: 709, height: 697 }, { width: 1086, height: 700 }, { width: 900, height: 1200 }];
  for (const window of windows) {
    for (const image of sizes.flatMap((width) => sizes.map((height) => ({ width, height })))) {
      const camera = fitUncovered(image, window, covers);
      const [from, to] = [toScreen(camera, window, 0, 0), toScreen(camera, window, image.width, image.height)];
      expect(from.x < 236 && from.y < 364).toBe(false);
      expect(to.x > window.width - 56 && from.y < 114).toBe(false);
      expect(to.x > window.width - 168 && to.y > window.height - 52).toBe(false);
      expect(Math.min(from.x, from.y, window.width - to.x, window.height - to.y)).toBeGreaterThanOrEqual(0);
    }
  }
});
