/** Every command, in any order: undone fully, the first document is back bit for bit; and each patch is its inverse's inverse. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { removeBorderCells, removeSmallerThan, deleteInLoop, keepOnly } from "./bulk";
import { mergeCells, replaceShape, swapLabels } from "./combining";
import { acceptCells, addCell, classifyCells, deleteCells, eraseCells, paintCell, promptCell } from "./commands";
import { copyToFrame, placeCopies } from "./copying";
import { forEachCell } from "./draft";
import { createHistory } from "./history";
import { type Bitmap, bitmapOf, bitmapsOverlap, tightMask } from "./mask";
import type { OverlapPolicy } from "./overlap";
import { type Patch, applyPatch, invert, patchIsEmpty } from "./patch";
import { fillCellHoles, growCell, reshapeCell, shrinkCell, trimCell } from "./reshaping";
import { splitByLine, splitBySeeds } from "./splitting";
import type { CellStore } from "./store";
import { around, bitmaps, contents, square, storeOf } from "./testing_cells";
import { checkPatch } from "./wire";

interface Step {
  readonly command: number;
  readonly bitmap: Bitmap;
  readonly first: number;
  readonly second: number;
  readonly policy: OverlapPolicy;
}

const SIZE = 32;
let made = 0;
const newId = (): string => `n${++made}`;

function commandsFor(store: CellStore, { bitmap, first, second, policy }: Step): (() => Patch)[] {
  const ids = [...store.cells()].map((cell) => cell.id);
  const one = ids[first % Math.max(1, ids.length)] ?? "none";
  const other = ids[second % Math.max(1, ids.length)] ?? "none";
  const cell = store.get(one);
  const [x0, y0, x1, y1] = bitmap.box;
  const onCell = (change: () => Patch): (() => Patch) => (cell ? change : () => deleteCells(store, []));
  const target = cell ?? square("never", 99, [0, 0, 1, 1]);
  const fresh = { id: newId(), score: null, model_version: null };
  const placing = { dx: x0 - 8, dy: y0 - 8, policy, newId, keepsLabel: () => false };
  const mask = tightMask(bitmap) ?? target;
  return [
    () => addCell(store, bitmap, fresh, policy),
    () => promptCell(store, mask, { ...fresh, score: 0.5 }, policy),
    () => deleteCells(store, [one, one]),
    () => paintCell(store, one, bitmap, policy),
    () => eraseCells(store, new Set([one]), bitmap),
    () => eraseCells(store, null, bitmap),
    () => acceptCells(store, [one]),
    () => classifyCells(store, [one, other], `class ${second % 3}`),
    () => forEachCell(store, [one, other], (draft, each) => growCell(draft, each, 1, policy)),
    () => forEachCell(store, [one, other], (draft, each) => shrinkCell(draft, each, 1)),
    onCell(() => fillCellHoles(store, target, policy)),
    onCell(() => trimCell(store, target, x0, y0)),
    onCell(() => reshapeCell(store, target, bitmap, policy)),
    onCell(() => splitByLine(store, target, [{ x: x0, y: y0 }, { x: x1, y: y1 }], newId)),
    onCell(() => splitBySeeds(store, target, [{ x: target.box[0], y: target.box[1] }, { x: target.box[2] - 1, y: target.box[3] - 1 }], newId)),
    () => mergeCells(store, [one, other]),
    () => replaceShape(store, one, other),
    () => swapLabels(store, one, other),
    () => deleteInLoop(store, around(bitmap.box)),
    () => keepOnly(store, new Set([one, other])),
    () => removeBorderCells(store, 1),
    () => removeSmallerThan(store, second),
    onCell(() => placeCopies(store, [target], placing)),
    onCell(() => copyToFrame(store, [target], policy, newId)),
  ];
}

const COMMANDS = commandsFor(storeOf(SIZE, SIZE, []), { command: 0, bitmap: { box: [0, 0, 1, 1], bits: Uint8Array.of(1) }, first: 0, second: 0, policy: "exclude" }).length;

const steps = (policy: fc.Arbitrary<OverlapPolicy>): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ command: fc.nat(COMMANDS - 1), bitmap: bitmaps(SIZE, SIZE), first: fc.nat(9), second: fc.nat(9), policy }), { minLength: 1, maxLength: 10 });

const world = (): CellStore =>
  storeOf(SIZE, SIZE, [square("a", 1, [2, 2, 10, 10]), square("b", 7, [12, 2, 20, 10], { score: 0.4 }), square("c", 3, [0, 20, 9, 32])]);

const ANY_POLICY = fc.constantFrom<OverlapPolicy>("exclude", "overwrite", "overlap");

test("any sequence of commands, undone fully, gives the first document back; redone, the last", () => {
  fc.assert(
    fc.property(steps(ANY_POLICY), (sequence) => {
      const store = world();
      const history = createHistory(store);
      const first = contents(store);
      for (const step of sequence) history.commit(commandsFor(store, step)[step.command](), "step");
      const last = contents(store);
      while (history.canUndo) history.undo();
      expect(contents(store)).toEqual(first);
      while (history.canRedo) history.redo();
      expect(contents(store)).toEqual(last);
    }),
    { numRuns: 120 },
  );
});

test("each command's patch is one that the server takes, and applying its inverse is the identity", () => {
  fc.assert(
    fc.property(steps(ANY_POLICY), (sequence) => {
      const store = world();
      for (const step of sequence) {
        const before = new Map([...store.cells()].map((cell) => [cell.id, cell]));
        const patch = commandsFor(store, step)[step.command]();
        if (patchIsEmpty(patch)) continue;
        checkPatch(patch, SIZE, SIZE);
        const after = applyPatch(before, patch);
        expect(applyPatch(after, invert(patch))).toEqual(before);
        expect(invert(invert(patch))).toEqual(patch);
        const labels = [...after.values()].map((cell) => cell.label);
        expect(new Set(labels).size).toBe(labels.length);
        store.apply(patch, "local");
      }
    }),
    { numRuns: 120 },
  );
});

test("with Exclude and Overwrite no pixel ever belongs to two cells", () => {
  fc.assert(
    fc.property(steps(fc.constantFrom<OverlapPolicy>("exclude", "overwrite")), (sequence) => {
      const store = world();
      for (const step of sequence) store.apply(commandsFor(store, step)[step.command](), "local");
      const cells = [...store.cells()].map(bitmapOf);
      cells.forEach((cell, i) => expect(cells.slice(i + 1).some((other) => bitmapsOverlap(cell, other))).toBe(false));
    }),
    { numRuns: 120 },
  );
});
