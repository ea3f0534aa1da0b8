/** Commands that reshape, combine, remove and copy cells. */
import { expect, test } from "vitest";

import { cellsInLoop, cellsOnLine, deleteInLoop, keepOnly, removeBorderCells, removeSmallerThan } from "./bulk";
import { mergeCells, replaceShape, swapLabels } from "./combining";
import { copyToFrame, placeCopies } from "./copying";
import { createDraft, forEachCell } from "./draft";
import { bitmapOf } from "./mask";
import type { OverlapPolicy } from "./overlap";
import { type Patch, cellArea, patchIsEmpty } from "./patch";
import { fillCellHoles, growCell, reshapeCell, shrinkCell, trimCell } from "./reshaping";
import { around, rowsOf, shaped, square, storeOf } from "./testing_cells";

const a = square("a", 1, [2, 2, 8, 8], { class_id: "round" });
const b = square("b", 2, [8, 2, 14, 8]);
const c = square("c", 5, [20, 20, 24, 24], { source: "person", score: null, model_version: null });
const world = () => storeOf(32, 32, [a, b, c]);
const newIds = () => {
  let made = 0;
  return () => `n${++made}`;
};
const removedIds = (patch: Patch): string[] => patch.removed.map((cell) => cell.id).sort();
const BOTTOM_RIGHT = { x: 31, y: 31 };

test("growing stops at the neighbour, takes from it, or shares with it", () => {
  const boxes = (policy: OverlapPolicy) => {
    const store = world();
    store.apply(growCell(store, a, 1, policy), "local");
    return [store.get("a")?.box, store.get("b")?.box];
  };
  expect(boxes("exclude")).toEqual([[1, 1, 9, 9], [8, 2, 14, 8]]);
  expect(boxes("overwrite")).toEqual([[1, 1, 9, 9], [9, 2, 14, 8]]);
  expect(boxes("overlap")).toEqual([[1, 1, 9, 9], [8, 2, 14, 8]]);
});

test("cells that grow together do not grow into each other", () => {
  const store = storeOf(32, 32, [square("a", 1, [2, 2, 6, 6]), square("b", 2, [7, 2, 11, 6])]);
  store.apply(forEachCell(store, ["a", "b"], (draft, cell) => growCell(draft, cell, 1, "exclude")), "local");
  const [one, two] = [store.get("a"), store.get("b")];
  expect(one && two && [cellArea(one), cellArea(two)]).toEqual([36, 30]);
});

test("shrinking takes the rim, and never a whole cell", () => {
  const store = world();
  expect(shrinkCell(store, a, 1).updated[0].after).toMatchObject({ box: [3, 3, 7, 7], source: "person", score: null });
  expect(patchIsEmpty(shrinkCell(store, a, 3))).toBe(true);
});

test("holes fill up to what belongs to another cell", () => {
  const ring = shaped("r", 1, ["#####", "#...#", "#...#", "#####"], 2, 2);
  const inside = square("i", 2, [3, 3, 4, 4]);
  const store = storeOf(20, 20, [ring, inside]);
  const excluded = fillCellHoles(store, ring, "exclude").updated[0].after;
  expect(rowsOf(bitmapOf(excluded))).toEqual(["#####", "#.###", "#####", "#####"]);
  expect(fillCellHoles(store, ring, "overwrite").removed).toEqual([inside]);
  expect(patchIsEmpty(fillCellHoles(store, inside, "exclude"))).toBe(true);
});

test("trimming keeps the piece that is meant", () => {
  const cell = shaped("p", 1, ["##..#", "##...", "....#"], 4, 4);
  const store = storeOf(20, 20, [cell]);
  expect(trimCell(store, cell, 5, 5).updated[0].after.box).toEqual([4, 4, 6, 6]);
  expect(trimCell(store, cell, 8, 6).updated[0].after.box).toEqual([8, 6, 9, 7]);
  expect(patchIsEmpty(trimCell(store, cell, 7, 7))).toBe(true);
});

test("a new shape that is the old one says nothing about who drew it", () => {
  expect(patchIsEmpty(reshapeCell(world(), a, bitmapOf(a), "exclude"))).toBe(true);
});

test("merging keeps the first: its id, label and class", () => {
  const store = world();
  const patch = mergeCells(store, ["a", "b", "a"]);
  expect(patch.updated[0].after).toMatchObject({ id: "a", label: 1, class_id: "round", box: [2, 2, 14, 8], source: "person", score: null });
  expect(patch.removed).toEqual([b]);
  expect(mergeCells(store, ["b", "a"]).updated[0].after.id).toBe("b");
  expect(patchIsEmpty(mergeCells(store, ["a", "gone"]))).toBe(true);
});

test("replacing gives a number and a class another shape", () => {
  const patch = replaceShape(world(), "a", "c");
  expect(patch.updated[0].after).toEqual({ ...c, id: "a", label: 1, class_id: "round" });
  expect(patch.removed).toEqual([c]);
  expect(patchIsEmpty(replaceShape(world(), "a", "a"))).toBe(true);
});

test("swapping exchanges numbers and nothing else", () => {
  const store = world();
  store.apply(swapLabels(store, "a", "c"), "local");
  expect([store.get("a"), store.get("c")]).toEqual([{ ...a, label: 5 }, { ...c, label: 1 }]);
});

test("a loop takes the cells that lie in it with more than half", () => {
  const store = world();
  expect(cellsInLoop(store, around([0, 0, 12, 10])).map((cell) => cell.id)).toEqual(["a", "b"]);
  expect(removedIds(deleteInLoop(store, around([0, 0, 11, 10])))).toEqual(["a"]);
});

test("a line meets the cells that it has a pixel of, in its order, also right across a large image", () => {
  const cells = [square("far", 1, [19_000, 18_998, 19_004, 19_004]), square("near", 2, [100, 98, 104, 104]), square("beside", 3, [200, 190, 210, 199])];
  const met = cellsOnLine(storeOf(20_000, 20_000, cells), [{ x: 0.5, y: 0.5 }, { x: 19_999.5, y: 19_999.5 }]);
  expect(met.map(({ id }) => id)).toEqual(["near", "far"]);
});

test("keeping only some needs one of them", () => {
  expect(removedIds(keepOnly(world(), new Set(["b"])))).toEqual(["a", "c"]);
  expect(patchIsEmpty(keepOnly(world(), new Set(["gone"])))).toBe(true);
});

test("border cells are those with a pixel on the image's edge, or as near as the margin", () => {
  const edge = square("e", 9, [10, 31, 12, 32]);
  const store = storeOf(32, 32, [a, b, c, edge]);
  expect(removedIds(removeBorderCells(store, 1))).toEqual(["e"]);
  expect(removedIds(removeBorderCells(store, 3))).toEqual(["a", "b", "e"]);
});

test("small cells are those with fewer pixels", () => {
  expect(removedIds(removeSmallerThan(world(), 36))).toEqual(["c"]);
  expect(patchIsEmpty(removeSmallerThan(world(), 16))).toBe(true);
});

test("copies get new ids and labels and what pixels are free, cut at the image's edge", () => {
  const store = world();
  const placing = { policy: "exclude" as const, newId: newIds(), keepsLabel: () => false };
  const patch = placeCopies(store, [a, b], { ...placing, dx: 20, dy: 12 });
  expect(patch.added.map(({ id, label, class_id, source, score }) => [id, label, class_id, source, score])).toEqual([
    ["n1", 6, "round", "person", null],
    ["n2", 7, null, "person", null],
  ]);
  expect(patch.added[1].box).toEqual([28, 14, 32, 20]);
  expect(patchIsEmpty(placeCopies(store, [a], { ...placing, dx: 0, dy: 0 }))).toBe(true);
  expect(patchIsEmpty(placeCopies(store, [a], { ...placing, dx: BOTTOM_RIGHT.x, dy: BOTTOM_RIGHT.y }))).toBe(true);
});

test("copies in the next frame keep their numbers where those are free", () => {
  const next = storeOf(32, 32, [square("x", 2, [20, 2, 24, 6])]);
  const patch = copyToFrame(next, [b, square("d", 3, [14, 14, 18, 18]), a], "exclude", newIds());
  expect(patch.added.map(({ label, box }) => [label, box[0]]).sort()).toEqual([[1, 2], [3, 14], [4, 8]]);
  expect(() => next.apply(patch, "local")).not.toThrow();
});

test("a draft shows what was done to it and leaves the document alone", () => {
  const store = world();
  const draft = createDraft(store);
  draft.apply({ added: [square("d", 9, [0, 0, 3, 3])], updated: [], removed: [b] });
  draft.apply({ added: [], updated: [{ before: a, after: { ...a, label: 7 } }], removed: [] });
  expect(draft.near([0, 0, 14, 14]).map((cell) => cell.id)).toEqual(["a", "d"]);
  expect([draft.nextLabel(), draft.get("b"), store.size]).toEqual([10, undefined, 3]);
  draft.apply({ added: [], updated: [], removed: [{ ...a, label: 7 }, square("d", 9, [0, 0, 3, 3])] });
  expect(draft.patch).toEqual({ added: [], updated: [], removed: [b, a] });
});
