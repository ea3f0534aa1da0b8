import { expect, test } from "vitest";

import { sliderAfter } from "./slider";

test("arrows move the border, with Shift in leaps, and it stays in the picture", () => {
  expect(sliderAfter(0.5, "ArrowLeft", false)).toBeCloseTo(0.48);
  expect(sliderAfter(0.5, "ArrowRight", true)).toBeCloseTo(0.6);
  expect([sliderAfter(0.01, "ArrowLeft", false), sliderAfter(0.95, "PageUp", false)]).toEqual([0, 1]);
  expect([sliderAfter(0.3, "Home", false), sliderAfter(0.3, "End", false)]).toEqual([0, 1]);
});

test("other keys are not the slider's", () => {
  expect(sliderAfter(0.5, "+", false)).toBeNull();
});
