import fc from "fast-check";
import { expect, test } from "vitest";

import { addCell, deleteCells, eraseCells, paintCell } from "./commands";
import { type Cell, type Patch, PatchError, applyPatch, checkFits, compose, invert, patchIsEmpty } from "./patch";
import { bitmaps, square, storeOf } from "./testing_cells";

const a = square("a", 1, [0, 0, 4, 4]);
const moved: Cell = { ...a, box: [1, 0, 5, 4] };
const b = square("b", 2, [6, 6, 8, 8]);
const world = new Map([["a", a]]);

test("it works", () => {
  const patch: Patch = { added: [b], updated: [{ before: a, after: moved }], removed: [] };
  expect([...applyPatch(world, patch).values()]).toEqual([moved, b]);
});

test("the inverse takes a patch back", () => {
  const patch: Patch = { added: [b], updated: [{ before: a, after: moved }], removed: [] };
  expect(applyPatch(applyPatch(world, patch), invert(patch))).toEqual(world);
  expect(invert(invert(patch))).toEqual(patch);
});

test.each<[string, Patch]>([
  ["adds a cell that is there", { added: [a], updated: [], removed: [] }],
  ["removes a cell that is not there", { added: [], updated: [], removed: [b] }],
  ["changes a cell that has changed", { added: [], updated: [{ before: moved, after: a }], removed: [] }],
  ["names a cell twice", { added: [], updated: [{ before: a, after: moved }], removed: [a] }],
])("it rejects a patch that %s", (_, patch) => {
  expect(() => checkFits(world, patch)).toThrow(PatchError);
});

test("composing drops what cancels out", () => {
  const there: Patch = { added: [b], updated: [{ before: a, after: moved }], removed: [] };
  expect(patchIsEmpty(compose(there, invert(there)))).toBe(true);
});

test("a composed patch does what its two parts do, and its inverse undoes both", () => {
  const step = fc.record({ kind: fc.nat(3), bitmap: bitmaps(24, 24), pick: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), (steps) => {
      const store = storeOf(24, 24, [square("a", 1, [0, 0, 6, 6]), square("b", 2, [8, 3, 14, 9])]);
      const before = new Map([...store.cells()].map((cell) => [cell.id, cell]));
      let whole: Patch = { added: [], updated: [], removed: [] };
      steps.forEach(({ kind, bitmap, pick }, index) => {
        const ids = [...store.cells()].map((cell) => cell.id);
        const id = ids[pick % Math.max(1, ids.length)] ?? "none";
        const made = [
          () => addCell(store, bitmap, { id: `n${index}`, score: null, model_version: null }),
          () => deleteCells(store, [id]),
          () => paintCell(store, id, bitmap),
          () => eraseCells(store, null, bitmap),
        ][kind]();
        store.apply(made, "local");
        whole = compose(whole, made);
      });
      const after = new Map([...store.cells()].map((cell) => [cell.id, cell]));
      expect(applyPatch(before, whole)).toEqual(after);
      expect(applyPatch(after, invert(whole))).toEqual(before);
    }),
    { numRuns: 60 },
  );
});
