import type { CellsView } from "./draft";
import { bitmapOf, bitmapUnion, tightMask } from "./mask";
import { redrawn } from "./overlap";
import { type Cell, EMPTY_PATCH, type Patch } from "./patch";

/** Merges cells into the first of them, which keeps its id, label and class. */
export function mergeCells(document: CellsView, ids: readonly string[]): Patch {
  const [first, ...others] = [...new Set(ids)].flatMap((id) => document.get(id) ?? []);
  const whole = first && others.length > 0 ? bitmapUnion([first, ...others].map(bitmapOf)) : null;
  const mask = whole && tightMask(whole);
  if (!mask) return EMPTY_PATCH;
  return { added: [], updated: [{ before: first, after: redrawn(first, mask) }], removed: others };
}

/** The cell `keptId` gives up its shape and takes that of `shapeId`, which goes: for a right number on a wrong shape. */
export function replaceShape(document: CellsView, keptId: string, shapeId: string): Patch {
  const [kept, shape] = [document.get(keptId), document.get(shapeId)];
  if (!kept || !shape || kept === shape) return EMPTY_PATCH;
  const after: Cell = { ...shape, id: kept.id, label: kept.label, class_id: kept.class_id };
  return { added: [], updated: [{ before: kept, after }], removed: [shape] };
}

/** Exchanges the numbers of two cells. Nobody redrew them: source and score stay. */
export function swapLabels(document: CellsView, oneId: string, otherId: string): Patch {
  const [one, other] = [document.get(oneId), document.get(otherId)];
  if (!one || !other || one === other) return EMPTY_PATCH;
  return {
    added: [],
    updated: [
      { before: one, after: { ...one, label: other.label } },
      { before: other, after: { ...other, label: one.label } },
    ],
    removed: [],
  };
}
