import { expect, test } from "vitest";

import { byVersion, overTime } from "./proof";
import { aModel, aVersion, anEvaluation } from "./sample_model";
import { spreadPlaces, ticksTo } from "./scale";

test("the work by version begins with what was drawn by hand and ends with the newest version", () => {
  const { labels, points, rows } = byVersion(aModel(), "actions_per_cell");
  expect(labels.map(({ text }) => text)).toEqual(["by hand", "tiny 1", "v2"]);
  expect(points.map(({ y, tone }) => [y, tone])).toEqual([[0.9, "faint"], [0.6, "plain"], [0.2, "active"]]);
  expect(rows[2]).toEqual(["v2", "0.20", "40 cells in 2 images"]);
});

test("F1 by version joins nothing but what one run measured on the same images: the active version and the new one", () => {
  const { points, line, pairs, rows } = byVersion(aModel(), "f1");
  expect(points.map(({ y, tone }) => [y, tone])).toEqual([[0.7, "rejected"], [0.9, "active"]]);
  expect(line).toEqual([]);
  expect(pairs).toEqual([{ x: 0, from: 0.8, to: 0.7, isKeptOut: true }, { x: 1, from: 0.8, to: 0.9, isKeptOut: false }]);
  expect(points[1].words).toBe("v2: 0.90, the version active then had 0.80 on the same 6 held-out images");
  expect(rows[1]).toEqual(["v2", "0.90", "0.80", "6 held-out images"]);
});

test("a version that was trained elsewhere has a point, and nothing to be compared with", () => {
  const imported = aVersion({ id: "v3", number: 3, name: "v3", state: "imported", metrics: { f1: 0.85 } });
  const { points, pairs, rows } = byVersion({ ...aModel(), versions: [imported] }, "f1");
  expect(pairs).toEqual([]);
  expect(points[0].words).toBe("v3: 0.85, not measured here");
  expect(rows).toEqual([["v3", "0.85", "–", "not here"]]);
});

test("a version that was measured on no image has no point", () => {
  const unmeasured = aVersion({ id: "v3", number: 3, name: "v3", evaluation: { ...anEvaluation(1, 1), images: 0 } });
  const model = aModel();
  expect(byVersion({ ...model, versions: [unmeasured, ...model.versions] }, "f1").labels.map(({ text }) => text)).toEqual(["v1", "v2"]);
});

test("over time an image without a figure leaves no hole, and a new version is marked where it begins", () => {
  const { points, marks } = overTime(aModel(), "actions_per_cell");
  expect(points.map(({ x }) => x)).toEqual([0, 1, 2]);
  expect(marks).toEqual([{ x: 0, text: "by hand" }, { x: 0.5, text: "tiny 1" }, { x: 1.5, text: "v2" }]);
});

test("the line over time weighs images by their cells", () => {
  const { line } = overTime(aModel(), "actions_per_cell");
  expect(line[1].y).toBeCloseTo((1 * 10 + 0.6 * 20) / 30);
});

test("F1 over time joins no runs, whose held-out images differ: each has its own pair", () => {
  const { points, line, pairs, rows } = overTime(aModel(), "f1");
  expect(points.map(({ y }) => y)).toEqual([0.7, 0.9]);
  expect(line).toEqual([]);
  expect(pairs).toEqual([{ x: 0, from: 0.8, to: 0.7, isKeptOut: true }, { x: 1, from: 0.8, to: 0.9, isKeptOut: false }]);
  expect(rows[1].slice(1)).toEqual(["v2", "0.90", "0.80", "6 held-out images", "promoted"]);
});

test("a figure that nobody has measured has no points", () => {
  expect(overTime(aModel(), "seconds_per_cell").points).toEqual([]);
});

test.each([
  [1.86, [0, 0.5, 1, 1.5, 2]],
  [0.3, [0, 0.1, 0.2, 0.3]],
  [37, [0, 10, 20, 30, 40]],
  [0, [0, 0.5, 1]],
])("an axis to %o has round ticks", (top, ticks) => {
  expect(ticksTo(top)).toEqual(ticks);
});

test("labels are spread over many places and keep the last one", () => {
  expect(spreadPlaces(3, 7)).toEqual([0, 1, 2]);
  expect(spreadPlaces(100, 4)).toEqual([0, 33, 66, 99]);
});
