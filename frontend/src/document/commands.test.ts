import { expect, test } from "vitest";

import { acceptCells, addCell, classifyCells, eraseCells, needsCheck, paintCell, promptCell } from "./commands";
import { createHistory } from "./history";
import { cellArea, invert, patchIsEmpty } from "./patch";
import { contents, filled, square, storeOf } from "./testing_cells";

const fresh = { id: "n", score: null, model_version: null };
const twoCells = () => storeOf(32, 32, [square("a", 1, [2, 2, 10, 10]), square("b", 7, [12, 2, 20, 10], { score: 0.4 })]);

test("it works", () => {
  const store = twoCells();
  const patch = addCell(store, filled([22, 22, 25, 26]), fresh);
  expect(patch.added[0]).toMatchObject({ id: "n", label: 8, box: [22, 22, 25, 26], rle: [0, 12], source: "person" });
});

test("a new cell leaves the pixels of other cells alone", () => {
  const store = twoCells();
  store.apply(addCell(store, filled([8, 2, 14, 10]), fresh), "local");
  expect(store.get("n")?.box).toEqual([10, 2, 12, 10]);
});

test("a new cell on top of others is nothing", () => {
  expect(patchIsEmpty(addCell(twoCells(), filled([3, 3, 5, 5]), fresh))).toBe(true);
});

test("a prompt on a cell that is there gives it a new shape, beside its neighbours", () => {
  const store = twoCells();
  const prompted = { id: "n", score: 0.8, model_version: "v2" };
  store.apply(promptCell(store, square("a", 1, [2, 2, 13, 10]), prompted), "local");
  expect(store.get("n")).toBeUndefined();
  expect(store.get("a")).toMatchObject({ label: 1, box: [2, 2, 12, 10], score: 0.8, source: "person", model_version: "v2" });
});

test("a prompt that hardly meets a cell makes a new one", () => {
  const store = twoCells();
  store.apply(promptCell(store, square("x", 1, [9, 2, 12, 20]), fresh), "local");
  expect(store.get("a")?.box).toEqual([2, 2, 10, 10]);
  expect(store.get("n")?.label).toBe(8);
});

test("painting grows a cell up to its neighbour and makes it a person's", () => {
  const store = twoCells();
  store.apply(paintCell(store, "a", filled([8, 4, 14, 6])), "local");
  const cell = store.get("a");
  expect(cell).toMatchObject({ box: [2, 2, 12, 10], score: null, source: "person", model_version: "v1" });
  expect(cell && cellArea(cell)).toBe(64 + 4);
});

test("painting what is painted changes nothing", () => {
  expect(patchIsEmpty(paintCell(twoCells(), "a", filled([3, 3, 5, 5])))).toBe(true);
});

test("erasing touches the chosen cells only, and an emptied cell goes", () => {
  const store = twoCells();
  const everywhere = filled([0, 0, 16, 16]);
  expect(eraseCells(store, new Set(["b"]), everywhere)).toMatchObject({ removed: [], updated: [{ before: { id: "b" } }] });
  expect(eraseCells(store, null, everywhere).removed.map((cell) => cell.id)).toEqual(["a"]);
});

test("accepting clears a low score and leaves a good one", () => {
  const store = twoCells();
  store.apply(acceptCells(store, ["a", "b"]), "local");
  expect(store.get("a")?.score).toBe(0.9);
  expect([...store.cells()].some(needsCheck)).toBe(false);
});

test("with Overwrite others lose the pixels, with Overlap the pixels belong to both", () => {
  const over = twoCells();
  over.apply(addCell(over, filled([8, 2, 14, 10]), fresh, "overwrite"), "local");
  expect(["a", "n", "b"].map((id) => over.get(id)?.box)).toEqual([[2, 2, 8, 10], [8, 2, 14, 10], [14, 2, 20, 10]]);
  expect(over.get("a")).toMatchObject({ source: "person", score: null });

  const both = twoCells();
  const [a, b] = [both.get("a"), both.get("b")];
  both.apply(addCell(both, filled([8, 2, 14, 10]), fresh, "overlap"), "local");
  expect([both.get("a"), both.get("b")]).toEqual([a, b]);
  expect(both.at(9, 5).map((cell) => cell.id)).toEqual(["n", "a"]);
});

test("Overwrite removes a cell that is left without pixels, and undo brings it back", () => {
  const store = twoCells();
  const history = createHistory(store);
  const before = contents(store);
  history.commit(paintCell(store, "a", filled([10, 0, 22, 12]), "overwrite"), "painted");
  expect(store.get("b")).toBeUndefined();
  expect(store.get("a")?.box).toEqual([2, 0, 22, 12]);
  history.undo();
  expect(contents(store)).toEqual(before);
});

test("painting over what belongs to both takes it from the other with Overwrite", () => {
  const store = storeOf(32, 32, [square("a", 1, [2, 2, 10, 10]), square("b", 2, [6, 2, 14, 10])]);
  store.apply(paintCell(store, "a", filled([6, 2, 10, 10]), "overwrite"), "local");
  expect(store.get("a")?.score).toBe(0.9);
  expect(store.get("b")?.box).toEqual([10, 2, 14, 10]);
});

test("a class is given and taken without a word on who drew the cell", () => {
  const store = twoCells();
  const patch = classifyCells(store, ["a", "b", "a"], "round");
  store.apply(patch, "local");
  expect(store.get("b")).toMatchObject({ class_id: "round", source: "model", score: 0.4 });
  expect(patchIsEmpty(classifyCells(store, ["a", "b"], "round"))).toBe(true);
  store.apply(invert(patch), "local");
  expect(store.get("b")?.class_id).toBeNull();
});

test("a redrawn cell keeps its class", () => {
  const store = storeOf(32, 32, [square("a", 1, [2, 2, 10, 10], { class_id: "round" })]);
  store.apply(promptCell(store, square("x", 9, [2, 2, 11, 10]), { ...fresh, class_id: "flat" }), "local");
  expect(store.get("a")?.class_id).toBe("round");
});
