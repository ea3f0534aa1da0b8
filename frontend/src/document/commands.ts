import { type Bitmap, type BoxMask, bitmapMinus, bitmapOf, bitmapUnion, bitmapsOverlap, sharedPixels, tightMask } from "./mask";
import { type Cell, cellArea, EMPTY_PATCH, type Patch } from "./patch";
import type { DocumentReader } from "./store";

/**
 * What people do to cells, each as a function from the document to a Patch; none of them changes the document.
 * Overlap rule "Exclude": a pixel that another cell holds stays that cell's.
 */

export interface NewCell {
  readonly id: string;
  readonly score: number | null;
  readonly model_version: string | null;
}

/** `bitmap` without the pixels of every cell but `exceptId`. Looks only at cells near it. */
function freePixels(document: DocumentReader, bitmap: Bitmap, exceptId: string | null): Bitmap {
  return document
    .near(bitmap.box)
    .filter((cell) => cell.id !== exceptId)
    .reduce((free, cell) => bitmapMinus(free, bitmapOf(cell)), bitmap);
}

/** A cell that a person drew has no score of the model any more, but still says which version it came from. */
function redrawn(cell: Cell, mask: BoxMask): Cell {
  return { ...cell, box: mask.box, rle: mask.rle, score: null, source: "person" };
}

/** A new cell, drawn by a person or by the model on a person's prompt; nothing if no pixel is free. */
export function addCell(document: DocumentReader, bitmap: Bitmap, cell: NewCell): Patch {
  const mask = tightMask(freePixels(document, bitmap, null));
  if (!mask) return EMPTY_PATCH;
  const added: Cell = { ...cell, label: document.nextLabel(), box: mask.box, rle: mask.rle, source: "person" };
  return { added: [added], updated: [], removed: [] };
}

/** Two outlines that share this much of their union are of the same cell. */
const SAME_CELL_IOU = 0.5;

/** The cell that `mask` draws once more, if there is one. */
function drawnAgain(document: DocumentReader, mask: BoxMask): Cell | undefined {
  const bitmap = bitmapOf(mask);
  return document.near(mask.box).find((cell) => {
    const shared = sharedPixels(bitmap, bitmapOf(cell));
    return shared >= SAME_CELL_IOU * (cellArea(mask) + cellArea(cell) - shared);
  });
}

/**
 * The model's mask for a person's box: a new shape for the cell that it draws once more, else a new cell. Without
 * the first, boxing a badly drawn cell again would leave the bad one and add the rim around it.
 */
export function promptCell(document: DocumentReader, mask: BoxMask, cell: NewCell): Patch {
  const before = drawnAgain(document, mask);
  if (!before) return addCell(document, bitmapOf(mask), cell);
  const shape = tightMask(freePixels(document, bitmapOf(mask), before.id));
  if (!shape) return EMPTY_PATCH;
  const after: Cell = { ...before, ...cell, id: before.id, box: shape.box, rle: shape.rle, source: "person" };
  return { added: [], updated: [{ before, after }], removed: [] };
}

export function deleteCells(document: DocumentReader, ids: Iterable<string>): Patch {
  return { added: [], updated: [], removed: [...new Set(ids)].flatMap((id) => document.get(id) ?? []) };
}

/** Adds the free pixels of `stroke` to a cell. */
export function paintCell(document: DocumentReader, id: string, stroke: Bitmap): Patch {
  const cell = document.get(id);
  if (!cell) return EMPTY_PATCH;
  const mine = bitmapOf(cell);
  const fresh = tightMask(bitmapMinus(freePixels(document, stroke, id), mine));
  if (!fresh) return EMPTY_PATCH;
  const whole = bitmapUnion([mine, bitmapOf(fresh)]);
  const mask = whole && tightMask(whole);
  return mask ? { added: [], updated: [{ before: cell, after: redrawn(cell, mask) }], removed: [] } : EMPTY_PATCH;
}

/** Takes the pixels of `stroke` away from the cells `ids` (null: from every cell that it meets); an emptied cell goes. */
export function eraseCells(document: DocumentReader, ids: ReadonlySet<string> | null, stroke: Bitmap): Patch {
  const updated: { before: Cell; after: Cell }[] = [];
  const removed: Cell[] = [];
  for (const cell of document.near(stroke.box)) {
    if (ids && !ids.has(cell.id)) continue;
    const mine = bitmapOf(cell);
    if (!bitmapsOverlap(mine, stroke)) continue;
    const mask = tightMask(bitmapMinus(mine, stroke));
    if (mask) updated.push({ before: cell, after: redrawn(cell, mask) });
    else removed.push(cell);
  }
  return { added: [], updated, removed };
}

/** Model cells under this score are shown in amber until a person has looked at them. */
export const CHECK_BELOW = 0.7;

export const needsCheck = (cell: Cell): boolean => cell.score !== null && cell.score < CHECK_BELOW;

/** A person looked and left the shape as it is: the low score no longer asks for attention. */
export function acceptCells(document: DocumentReader, ids: Iterable<string>): Patch {
  const cells = [...new Set(ids)].flatMap((id) => document.get(id) ?? []).filter(needsCheck);
  const updated = cells.map((before) => ({ before, after: { ...before, score: null, source: "person" as const } }));
  return { added: [], updated, removed: [] };
}
