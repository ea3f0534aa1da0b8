import type { CellsView } from "./draft";
import { type Bitmap, type BoxMask, bitmapOf, bitmapUnion, sharedPixels, tightMask } from "./mask";
import { type OverlapPolicy, claimPixels, redrawn, takeAway } from "./overlap";
import { type Cell, cellArea, EMPTY_PATCH, type Patch } from "./patch";

/** What people do to cells, each as a function from the document to a Patch; none of them changes the document. */

export interface NewCell {
  readonly id: string;
  readonly score: number | null;
  readonly model_version: string | null;
  /** None without it. */
  readonly class_id?: string | null;
}

/** A cell drawn by a person, or by the model on a person's prompt; nothing if the policy leaves it no pixel. */
export function addCell(document: CellsView, bitmap: Bitmap, cell: NewCell, policy: OverlapPolicy = "exclude"): Patch {
  const { pixels, losses } = claimPixels(document, bitmap, null, policy);
  const mask = tightMask(pixels);
  if (!mask) return EMPTY_PATCH;
  const added: Cell = { class_id: null, ...cell, label: document.nextLabel(), box: mask.box, rle: mask.rle, source: "person" };
  return { ...losses, added: [added] };
}

/** Two outlines that share this much of their union are of the same cell. */
const SAME_CELL_IOU = 0.5;

/** The cell that `mask` draws once more, if there is one. */
function drawnAgain(document: CellsView, mask: BoxMask): Cell | undefined {
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
export function promptCell(document: CellsView, mask: BoxMask, cell: NewCell, policy: OverlapPolicy = "exclude"): Patch {
  const before = drawnAgain(document, mask);
  if (!before) return addCell(document, bitmapOf(mask), cell, policy);
  const { pixels, losses } = claimPixels(document, bitmapOf(mask), before.id, policy);
  const shape = tightMask(pixels);
  if (!shape) return EMPTY_PATCH;
  const after: Cell = { ...redrawn(before, shape), score: cell.score, model_version: cell.model_version };
  return { ...losses, updated: [...losses.updated, { before, after }] };
}

export function deleteCells(document: CellsView, ids: Iterable<string>): Patch {
  return { added: [], updated: [], removed: [...new Set(ids)].flatMap((id) => document.get(id) ?? []) };
}

/** Adds to a cell those pixels of `stroke` that the policy gives it. */
export function paintCell(document: CellsView, id: string, stroke: Bitmap, policy: OverlapPolicy = "exclude"): Patch {
  const cell = document.get(id);
  if (!cell) return EMPTY_PATCH;
  const mine = bitmapOf(cell);
  const { pixels, losses } = claimPixels(document, stroke, id, policy);
  const whole = bitmapUnion([mine, pixels]);
  const mask = whole && tightMask(whole);
  if (!mask || cellArea(mask) === cellArea(cell)) return losses;
  return { ...losses, updated: [...losses.updated, { before: cell, after: redrawn(cell, mask) }] };
}

/** Takes the pixels of `stroke` away from the cells `ids` (null: from every cell that it meets); an emptied cell goes. */
export function eraseCells(document: CellsView, ids: ReadonlySet<string> | null, stroke: Bitmap): Patch {
  return takeAway(document, stroke, (cell) => ids === null || ids.has(cell.id));
}

/** Model cells under this score are shown in amber until a person has looked at them. */
export const CHECK_BELOW = 0.7;

export const needsCheck = (cell: Pick<Cell, "score">): boolean => cell.score !== null && cell.score < CHECK_BELOW;

/** A person looked and left the shape as it is: the low score no longer asks for attention. */
export function acceptCells(document: CellsView, ids: Iterable<string>): Patch {
  const cells = [...new Set(ids)].flatMap((id) => document.get(id) ?? []).filter(needsCheck);
  const updated = cells.map((before) => ({ before, after: { ...before, score: null, source: "person" as const } }));
  return { added: [], updated, removed: [] };
}

/** Gives cells a class (null: none). The shape stays as it was, and so does what is known of who drew it. */
export function classifyCells(document: CellsView, ids: Iterable<string>, classId: string | null): Patch {
  const cells = [...new Set(ids)].flatMap((id) => document.get(id) ?? []).filter((cell) => cell.class_id !== classId);
  return { added: [], updated: cells.map((before) => ({ before, after: { ...before, class_id: classId } })), removed: [] };
}
