import { expect, test } from "vitest";

import type { Cell } from "../../document/patch";
import { NO_FILTER, orderCells } from "./cellOrder";

const cell = (label: number, width: number, change: Partial<Cell> = {}): Cell => ({
  id: `cell-${label}`, label, box: [0, 0, width, 1], rle: [0, width], score: 0.9, source: "model", model_version: null, class_id: null, ...change,
});
const CELLS = [cell(1, 30), cell(2, 10, { score: 0.4, class_id: "m" }), cell(12, 20, { score: null, source: "person", class_id: "i" })];
const NAMES = new Map([["m", "Mitotic"], ["i", "Interphase"]]);
const labels = (...[order, filter]: [Parameters<typeof orderCells>[1], Partial<typeof NO_FILTER>?]) =>
  orderCells(CELLS, order, { ...NO_FILTER, ...filter }, NAMES).map(({ label }) => label);

test("the worst score comes first and cells that a person has seen last", () => {
  expect(labels({ by: "score", up: true })).toEqual([2, 1, 12]);
  expect(labels({ by: "score", up: false })).toEqual([12, 1, 2]);
});

test("it sorts by area and by class, cells without a class last", () => {
  expect(labels({ by: "area", up: true })).toEqual([2, 12, 1]);
  expect(labels({ by: "class", up: true })).toEqual([12, 2, 1]);
});

test("it finds by the beginning of the number or by a part of the class's name", () => {
  expect(labels({ by: "label", up: true }, { find: "#1" })).toEqual([1, 12]);
  expect(labels({ by: "label", up: true }, { find: "mito" })).toEqual([2]);
});

test("each filter leaves out what it says", () => {
  expect(labels({ by: "label", up: true }, { source: "person" })).toEqual([12]);
  expect(labels({ by: "label", up: true }, { toCheck: true })).toEqual([2]);
  expect(labels({ by: "label", up: true }, { classId: "" })).toEqual([1]);
  expect(labels({ by: "label", up: true }, { classId: "i", source: "model" })).toEqual([]);
});
