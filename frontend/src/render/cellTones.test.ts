import { expect, test } from "vitest";

import { CELL_PALETTE } from "../document/colors";
import type { Cell } from "../document/patch";
import { square } from "../document/testing_cells";
import { COLORS_BY_LABEL, type ColorBy, tonesBy } from "./cellTones";

const RED = [255, 0, 0] as const;
const colors = { of: (cell: Cell) => cell.label % CELL_PALETTE.length };
const toneOf = (by: ColorBy, more: Partial<Cell>) => tonesBy(by, colors, (id) => (id === "red" ? RED : null))(square("a", 3, [0, 0, 4, 4], more));
const lightness = ([r, g, b]: readonly number[]): number => 0.21 * r + 0.72 * g + 0.07 * b;

test("by identity a cell has its own colour, and one to check is amber", () => {
  expect(toneOf("id", { score: 0.9 })).toEqual(CELL_PALETTE[3]);
  expect(toneOf("id", { score: 0.3 })).not.toEqual(CELL_PALETTE[3]);
});

test("by class a cell has its class's colour; without a class, or with one that is gone, it is grey", () => {
  expect(toneOf("class", { class_id: "red" })).toEqual(RED);
  expect(toneOf("class", { class_id: null })).toEqual(toneOf("class", { class_id: "gone" }));
});

test("by source the model's cells differ from people's", () => {
  expect(toneOf("source", { source: "model" })).not.toEqual(toneOf("source", { source: "person" }));
});

test("by score a better cell is lighter, and one without a score stands apart", () => {
  const scores = [0, 0.2, 0.4, 0.6, 0.8, 1].map((score) => lightness(toneOf("score", { score })));
  expect([...scores].sort((a, b) => a - b)).toEqual(scores);
  expect([0, 0.5, 1].map((score) => toneOf("score", { score }))).not.toContainEqual(toneOf("score", { score: null }));
});

test("by edits what a person drew, what one changed and what nobody touched are told apart", () => {
  const tones = [
    toneOf("edited", { source: "person", model_version: null }),
    toneOf("edited", { source: "person", model_version: "v1" }),
    toneOf("edited", { source: "model" }),
  ];
  expect(new Set(tones.map(String)).size).toBe(3);
});

test("in a series a cell keeps its colour, whatever its neighbours are, and the next label has another", () => {
  const tone = (label: number, id: string) => tonesBy("id", COLORS_BY_LABEL, () => null)(square(id, label, [label, 0, label + 4, 4]));
  expect(tone(12, "in frame 1")).toEqual(tone(12, "in frame 2"));
  expect(tone(13, "b")).not.toEqual(tone(12, "a"));
});
