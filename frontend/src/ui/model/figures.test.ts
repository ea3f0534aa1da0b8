import { expect, test } from "vitest";

import type { Evaluation } from "../../api/types";
import { changesOf, figuresOf, lossesOf } from "./figures";

const figures = (f1: number) => ({ f1, precision: f1 + 0.02, recall: f1 - 0.02, miou: 0.85, count_error: 0.1 });
const gate: Evaluation["gate"] = {
  outcome: "promoted",
  reason: "Better.",
  f1: { active: 0.79, candidate: 0.83, low: 0.01, high: 0.07 },
  miou: { active: 0.85, candidate: 0.86, low: -0.01, high: 0.02 },
  groups: { fluorescence: { active: 0.8, candidate: 0.85, low: 0, high: 0.1 }, stain: { active: 0.7, candidate: 0.69, low: -0.05, high: 0.03 } },
};

const evaluation = (change: Partial<Evaluation> = {}): Evaluation => ({ active: figures(0.79), candidate: figures(0.83), images: 8, gate, ...change });

test("it puts the gate's figures with their intervals first", () => {
  const changes = changesOf(evaluation());
  expect(changes.map((change) => change.name)).toEqual([
    "F1", "Mean IoU, true boxes", "F1, fluorescence", "F1, stain", "Precision", "Recall", "Count error",
  ]);
  expect(changes[0]).toEqual({ name: "F1", before: 0.79, after: 0.83, low: 0.01, high: 0.07, isLowerBetter: false });
  expect(changes[6].isLowerBetter).toBe(true);
});

test("it does not repeat the only group", () => {
  const changes = changesOf(evaluation({ gate: { ...gate, groups: { fluorescence: { active: 0.7, candidate: 0.8, low: 0, high: 0.2 } } } }));
  expect(changes.map((change) => change.name)).not.toContain("F1, fluorescence");
});

test("it shows the pooled figures without an interval when the gate had too little evidence", () => {
  const changes = changesOf(evaluation({ images: 2, gate: { ...gate, f1: null, miou: null, groups: {} } }));
  expect(changes[0]).toMatchObject({ name: "F1", before: 0.79, after: 0.83, low: null, high: null });
});

test("it shows nothing where nothing was measured", () => {
  expect([changesOf(null), changesOf(evaluation({ images: 0 }))]).toEqual([[], []]);
});

test.each([null, undefined, {}, [], { f1: "x" }, { f1: Number.NaN }])("it takes no figure from %o", (metrics) => {
  expect(figuresOf(metrics).f1).toBeNull();
});

test("it reads a loss curve in each form", () => {
  expect(lossesOf([0.5, 0.4])).toEqual([0.5, 0.4]);
  expect(lossesOf([{ step: 1, loss: 0.5 }, { step: 2, train_loss: 0.3 }, { step: 3 }, null])).toEqual([0.5, 0.3]);
});
