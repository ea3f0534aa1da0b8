import type { CellsView } from "./draft";
import { type Bitmap, bitmapMinus, bitmapOf, bitmapUnion, tightMask } from "./mask";
import { type OverlapPolicy, claimPixels, redrawn } from "./overlap";
import { type Cell, EMPTY_PATCH, type Patch, cellEquals } from "./patch";
import { bitmapArea, pieceAt } from "./raster/components";
import { dilate, erode, fillHoles } from "./raster/morphology";

/**
 * A new shape for a cell: of the pixels that are new to it, those that the policy gives it; nothing if it would be left
 * without any.
 */
export function reshapeCell(document: CellsView, cell: Cell, shape: Bitmap, policy: OverlapPolicy): Patch {
  const mine = bitmapOf(cell);
  const gained = bitmapMinus(shape, mine);
  const kept = bitmapMinus(shape, gained);
  const { pixels, losses } = claimPixels(document, gained, cell.id, policy);
  const whole = bitmapUnion([kept, pixels]);
  const mask = whole && tightMask(whole);
  if (!mask) return EMPTY_PATCH;
  const after = redrawn(cell, mask);
  // Who drew it does not change where no pixel does.
  if (cellEquals({ ...after, score: cell.score, source: cell.source }, cell)) return losses;
  return { ...losses, updated: [...losses.updated, { before: cell, after }] };
}

/** Drops the pieces of a cell that do not hang together (8-connected) with the pixel (x, y). */
export function trimCell(document: CellsView, cell: Cell, x: number, y: number): Patch {
  const kept = pieceAt(bitmapOf(cell), x, y, 8);
  return bitmapArea(kept) === 0 ? EMPTY_PATCH : reshapeCell(document, cell, kept, "exclude");
}

export function fillCellHoles(document: CellsView, cell: Cell, policy: OverlapPolicy): Patch {
  return reshapeCell(document, cell, fillHoles(bitmapOf(cell)), policy);
}

/** Grows a cell by `steps` pixels on all sides. */
export function growCell(document: CellsView, cell: Cell, steps: number, policy: OverlapPolicy): Patch {
  return reshapeCell(document, cell, dilate(bitmapOf(cell), steps, document), policy);
}

/** Shrinks a cell by `steps` pixels on all sides; nothing if no pixel would be left. */
export function shrinkCell(document: CellsView, cell: Cell, steps: number): Patch {
  return reshapeCell(document, cell, erode(bitmapOf(cell), steps, document), "exclude");
}
