import { expect, test } from "vitest";

import type { Evaluation } from "../../api/types";
import { changesOf, f1Of, figuresOf, groupsOf, lossesOf } from "./figures";

const figures = (f1: number): Evaluation["active"] => ({
  f1, precision: f1 + 0.02, recall: f1 - 0.02, ap50: null, miou: 0.85, count_error: 0.1, found: null, touched_found: null, touched_cells: null,
});
const gate: Evaluation["gate"] = {
  outcome: "promoted",
  reason: "Better.",
  images: 8,
  clusters: 8,
  ap50: null,
  count_error: { active: 0.2, candidate: 0.1, low: -0.15, high: -0.05 },
  f1: { active: 0.79, candidate: 0.83, low: 0.01, high: 0.07 },
  miou: { active: 0.85, candidate: 0.86, low: -0.01, high: 0.02 },
  groups: { fluorescence: { active: 0.8, candidate: 0.85, low: 0, high: 0.1 }, stain: { active: 0.7, candidate: 0.69, low: -0.05, high: 0.03 } },
};

const evaluation = (change: Partial<Evaluation> = {}): Evaluation => ({ active: figures(0.79), candidate: figures(0.83), images: 8, all: null, gate, ...change });

test("it puts the gate's figures with their intervals first and leaves out what nobody measured", () => {
  const changes = changesOf(evaluation());
  expect(changes.map((change) => change.name)).toEqual(["F1", "Mean IoU, true boxes", "Count error", "Precision", "Recall"]);
  expect(changes[0]).toEqual({ name: "F1", before: 0.79, after: 0.83, low: 0.01, high: 0.07, isLowerBetter: false });
  expect(changes[2]).toMatchObject({ before: 0.2, after: 0.1, isLowerBetter: true });
});

test("cells that people mended are shown as a share of them", () => {
  const mended = (found: number) => ({ ...figures(0.8), touched_found: found, touched_cells: 20 });
  const change = changesOf(evaluation({ active: mended(5), candidate: mended(15) })).find(({ name }) => name === "Mended cells found");
  expect(change).toMatchObject({ before: 0.25, after: 0.75 });
});

test("groups are shown where there are several", () => {
  expect(groupsOf(evaluation()).map(({ name }) => name)).toEqual(["All images", "fluorescence", "stain"]);
  const alone = { ...gate, groups: { fluorescence: gate.groups.fluorescence } };
  expect(groupsOf(evaluation({ gate: alone })).map(({ name }) => name)).toEqual(["All images"]);
});

test("it shows the pooled figures without an interval when the gate had too little evidence", () => {
  const little = evaluation({ images: 2, gate: { ...gate, f1: null, miou: null, groups: {} } });
  expect(changesOf(little)[0]).toMatchObject({ name: "F1", before: 0.79, after: 0.83, low: null, high: null });
  expect(groupsOf(little)[0]).toMatchObject({ before: 0.79, after: 0.83, low: null });
});

test("it shows nothing where nothing was measured", () => {
  expect([changesOf(null), changesOf(evaluation({ images: 0 })), groupsOf(null)]).toEqual([[], [], []]);
});

test("a version's F1 is the gate's, else the one it came with", () => {
  expect(f1Of({ evaluation: evaluation(), metrics: { f1: 0.5 } })).toBe(0.83);
  expect(f1Of({ evaluation: null, metrics: { f1: 0.5 } })).toBe(0.5);
});

test("a version that was measured on no image has no F1, whatever stands there", () => {
  expect(f1Of({ evaluation: evaluation({ images: 0, candidate: figures(1) }), metrics: { f1: 1, images: 0 } })).toBeNull();
  expect(f1Of({ evaluation: null, metrics: { f1: 1, images: 0 } })).toBeNull();
});

test.each([null, undefined, {}, [], { f1: "x" }, { f1: Number.NaN }])("it takes no figure from %o", (metrics) => {
  expect(figuresOf(metrics).f1).toBeNull();
});

test("it reads a loss curve in each form", () => {
  expect(lossesOf([0.5, 0.4])).toEqual([0.5, 0.4]);
  expect(lossesOf([{ step: 1, loss: 0.5 }, { step: 2, train_loss: 0.3 }, { step: 3 }, null])).toEqual([0.5, 0.3]);
});
