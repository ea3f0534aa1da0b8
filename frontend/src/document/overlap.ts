import type { CellsView } from "./draft";
import { type Bitmap, bitmapMinus, bitmapOf, bitmapsOverlap, tightMask } from "./mask";
import { type Cell, EMPTY_PATCH, type Patch } from "./patch";

/**
 * What happens where drawn pixels belong to other cells already. Exclude: they stay with those cells. Overwrite: those cells
 * lose them. Overlap: the pixels belong to all of them.
 */
export type OverlapPolicy = "exclude" | "overwrite" | "overlap";

/** A cell that a person drew has no score of the model any more, but still says which version it came from. */
export function redrawn(cell: Cell, mask: Pick<Cell, "box" | "rle">): Cell {
  return { ...cell, box: mask.box, rle: mask.rle, score: null, source: "person" };
}

/** Takes the pixels of `stroke` away from the cells that `loses` accepts; an emptied cell goes. Looks only at cells near it. */
export function takeAway(document: CellsView, stroke: Bitmap, loses: (cell: Cell) => boolean): Patch {
  const updated: { before: Cell; after: Cell }[] = [];
  const removed: Cell[] = [];
  for (const cell of document.near(stroke.box)) {
    if (!loses(cell)) continue;
    const mine = bitmapOf(cell);
    if (!bitmapsOverlap(mine, stroke)) continue;
    const mask = tightMask(bitmapMinus(mine, stroke));
    if (mask) updated.push({ before: cell, after: redrawn(cell, mask) });
    else removed.push(cell);
  }
  return { added: [], updated, removed };
}

/** `bitmap` without the pixels of every cell but `exceptId`. Looks only at cells near it. */
export function freePixels(document: CellsView, bitmap: Bitmap, exceptId: string | null): Bitmap {
  return document
    .near(bitmap.box)
    .filter((cell) => cell.id !== exceptId)
    .reduce((free, cell) => bitmapMinus(free, bitmapOf(cell)), bitmap);
}

export interface Claim {
  /** The pixels that the claimant gets. */
  readonly pixels: Bitmap;
  /** What other cells lose by it. */
  readonly losses: Patch;
}

/** Which of the drawn pixels go to the cell `claimantId` (null: a new one) under a policy. */
export function claimPixels(document: CellsView, drawn: Bitmap, claimantId: string | null, policy: OverlapPolicy): Claim {
  if (policy === "exclude") return { pixels: freePixels(document, drawn, claimantId), losses: EMPTY_PATCH };
  if (policy === "overlap") return { pixels: drawn, losses: EMPTY_PATCH };
  return { pixels: drawn, losses: takeAway(document, drawn, (cell) => cell.id !== claimantId) };
}
