import { expect, test } from "vitest";

import { bitmapOf } from "./mask";
import { type Patch, cellArea, patchIsEmpty } from "./patch";
import { splitByLine, splitBySeeds } from "./splitting";
import { rowsOf, shaped, square, storeOf } from "./testing_cells";

const ids = () => {
  let made = 0;
  return () => `n${++made}`;
};
const areas = (patch: Patch): number[] => [...patch.updated.map(({ after }) => after), ...patch.added].map(cellArea);

const TWINS = [
  ".###....##.",
  "#####..####",
  "###########",
  "#####..####",
  ".###....##.",
];

test("a line right across makes two cells; the larger keeps id, label and class", () => {
  const cell = square("a", 4, [2, 2, 12, 8], { class_id: "round" });
  const store = storeOf(20, 20, [cell]);
  const patch = splitByLine(store, cell, [{ x: 5.5, y: 0 }, { x: 5.5, y: 12 }], ids());
  store.apply(patch, "local");
  expect(store.get("a")).toMatchObject({ label: 4, class_id: "round", source: "person", score: null });
  expect(store.get("n1")).toMatchObject({ label: 5, class_id: "round", source: "person", score: null, model_version: "v1" });
  expect(areas(patch)).toEqual([36, 24]);
  expect(store.get("a")?.box[2]).toBe(12);
});

test("no pixel is lost under the line, and none is in both parts", () => {
  const cell = shaped("a", 1, TWINS, 3, 3);
  const patch = splitByLine(storeOf(20, 20, [cell]), cell, [{ x: 8, y: 1 }, { x: 9, y: 5 }, { x: 8, y: 10 }], ids());
  const [first, second] = [...patch.updated.map(({ after }) => after), ...patch.added].map(bitmapOf);
  const together = rowsOf(first, cell.box).join("").split("").map((mark, i) => mark + rowsOf(second, cell.box).join("")[i]);
  expect(together.filter((marks) => marks === "##")).toEqual([]);
  expect(together.map((marks) => (marks === ".." ? "." : "#")).join("")).toBe(rowsOf(bitmapOf(cell)).join(""));
});

test.each([
  ["ends inside", [{ x: 5, y: 0 }, { x: 5, y: 5 }]],
  ["passes by", [{ x: 15, y: 0 }, { x: 15, y: 19 }]],
  ["only shaves a corner", [{ x: 2, y: 3.5 }, { x: 3.5, y: 2 }]],
])("a line that %s cuts nothing", (_, line) => {
  const cell = square("a", 1, [2, 2, 12, 8]);
  expect(patchIsEmpty(splitByLine(storeOf(20, 20, [cell]), cell, line, ids()))).toBe(true);
});

test("a slanted line parts pixels that meet at corners", () => {
  const cell = square("a", 1, [0, 0, 12, 12]);
  const patch = splitByLine(storeOf(20, 20, [cell]), cell, [{ x: -1, y: -1 }, { x: 13, y: 13 }], ids());
  expect(patch.added).toHaveLength(1);
});

test("a line that crosses twice makes three parts; a piece that it does not meet stays with the cell", () => {
  const cell = shaped("a", 1, ["############...", "############...", "............###"], 0, 0);
  const patch = splitByLine(storeOf(20, 20, [cell]), cell, [{ x: 3.5, y: -1 }, { x: 3.5, y: 3.5 }, { x: 7.5, y: 3.5 }, { x: 7.5, y: -1 }], ids());
  expect(patch.added.map((part) => part.label)).toEqual([2, 3]);
  expect(areas(patch).reduce((sum, area) => sum + area, 0)).toBe(cellArea(cell));
});

test("two seeds split at the waist", () => {
  const cell = shaped("a", 1, TWINS, 3, 3);
  const patch = splitBySeeds(storeOf(20, 20, [cell]), cell, [{ x: 12, y: 5 }, { x: 5, y: 5 }], ids());
  expect(patch.updated[0].after.box[0]).toBe(3);
  expect(patch.updated[0].after.box[2]).toBeLessThanOrEqual(10);
  expect(patch.added[0].box[2]).toBe(14);
  expect(areas(patch).reduce((sum, area) => sum + area, 0)).toBe(cellArea(cell));
});

test("with intensities two seeds split on the dark line, wherever the waist is", () => {
  const cell = square("a", 1, [0, 0, 12, 4]);
  const samples = Float32Array.from({ length: 48 }, (_, i) => (i % 12 === 8 ? 100 : 4000 - Math.abs((i % 12) - 4)));
  const patch = splitBySeeds(storeOf(20, 20, [cell]), cell, [{ x: 2, y: 2 }, { x: 10, y: 1 }], ids(), samples);
  expect(patch.added[0].box[0]).toBeGreaterThanOrEqual(8);
  expect(patch.added[0].box[0]).toBeLessThanOrEqual(9);
});

test("a piece that no seed reaches stays with the cell", () => {
  const cell = shaped("a", 1, ["######..##", "######..##"]);
  const patch = splitBySeeds(storeOf(20, 20, [cell]), cell, [{ x: 0, y: 0 }, { x: 5, y: 1 }], ids());
  expect(areas(patch)).toEqual([10, 6]);
  expect(rowsOf(bitmapOf(patch.updated[0].after), cell.box)[0].slice(8)).toBe("##");
});

test.each([
  ["outside the cell", [{ x: 3, y: 3 }, { x: 15, y: 15 }]],
  ["in the same place", [{ x: 3, y: 3 }, { x: 3, y: 3 }]],
] as const)("a seed %s splits nothing", (_, seeds) => {
  const cell = square("a", 1, [2, 2, 12, 8]);
  expect(patchIsEmpty(splitBySeeds(storeOf(20, 20, [cell]), cell, seeds, ids()))).toBe(true);
});
