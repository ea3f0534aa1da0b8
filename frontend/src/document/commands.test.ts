import fc from "fast-check";
import { expect, test } from "vitest";

import { acceptCells, addCell, deleteCells, eraseCells, needsCheck, paintCell, promptCell } from "./commands";
import { createHistory } from "./history";
import { bitmapOf, bitmapsOverlap } from "./mask";
import { cellArea, patchIsEmpty } from "./patch";
import { bitmaps, contents, filled, square, storeOf } from "./testing_cells";

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

test("any sequence of commands, undone fully, gives the first document back; redone, the last", () => {
  const step = fc.record({ kind: fc.nat(5), bitmap: bitmaps(32, 32), pick: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const store = twoCells();
      const history = createHistory(store);
      const first = contents(store);
      steps.forEach(({ kind, bitmap, pick }, index) => {
        const ids = [...store.cells()].map((cell) => cell.id);
        const id = ids[pick % Math.max(1, ids.length)] ?? "none";
        const commands = [
          () => addCell(store, bitmap, { ...fresh, id: `n${index}` }),
          () => deleteCells(store, [id, id]),
          () => paintCell(store, id, bitmap),
          () => eraseCells(store, new Set([id]), bitmap),
          () => eraseCells(store, null, bitmap),
          () => acceptCells(store, [id]),
        ];
        history.commit(commands[kind](), "step");
      });
      const last = contents(store);
      const cells = [...store.cells()].map(bitmapOf);
      cells.forEach((cell, i) => {
        expect(cells.slice(i + 1).some((other) => bitmapsOverlap(cell, other))).toBe(false);
      });
      while (history.canUndo) history.undo();
      expect(contents(store)).toEqual(first);
      while (history.canRedo) history.redo();
      expect(contents(store)).toEqual(last);
    }),
    { numRuns: 80 },
  );
});
