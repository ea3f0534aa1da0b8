import { boxHeight, boxWidth } from "../document/box";
import { addCell, eraseCells, paintCell } from "../document/commands";
import type { Point } from "../document/contour";
import { createDraft } from "../document/draft";
import type { Bitmap } from "../document/mask";
import { type Cell, type Patch, patchIsEmpty } from "../document/patch";
import { boxAround, fillPolygon } from "../document/raster/polygon";
import type { PointerInput, ToolContext } from "./tool";

/** What drawn pixels become: for brush, polygon, lasso, flood and threshold alike. */

/** The one selected cell, if exactly one is. */
export function selectedCell({ document, selection }: ToolContext): Cell | null {
  const [only] = selection.ids;
  return selection.ids.size === 1 ? (document.get(only) ?? null) : null;
}

/** The cell that a click means: the selected one if it lies there, else the topmost. */
export function cellAt(context: ToolContext, at: PointerInput): Cell | null {
  const here = context.document.at(Math.floor(at.x), Math.floor(at.y));
  return here.find((cell) => context.selection.ids.has(cell.id)) ?? here[0] ?? null;
}

/** Commits a patch unless it is empty; then says why nothing happened. */
export function commitOr(context: ToolContext, patch: Patch, words: string, otherwise: string): boolean {
  if (patchIsEmpty(patch)) {
    context.say(otherwise);
    return false;
  }
  context.commit(patch, words);
  return true;
}

const TAKEN = "Nothing new there: its pixels belong to other cells. Set Overlap to change that.";

/** Each bitmap as a new cell, all in one step; what the overlap policy leaves without pixels is left out. */
export function drawNew(context: ToolContext, bitmaps: readonly Bitmap[]): void {
  const draft = createDraft(context.document);
  const ids: string[] = [];
  for (const bitmap of bitmaps) {
    const id = context.newId();
    const patch = addCell(draft, bitmap, { id, score: null, model_version: null, class_id: context.classId }, context.options.overlap);
    draft.apply(patch);
    if (!patchIsEmpty(patch)) ids.push(id);
  }
  const { patch } = draft;
  const words = patch.added.length === 1 ? `Cell ${patch.added[0].label} drawn` : `${patch.added.length} cells drawn`;
  if (commitOr(context, patch, words, TAKEN)) context.selection.set(ids);
}

export function drawInto(context: ToolContext, target: Cell, pixels: Bitmap): void {
  const patch = paintCell(context.document, target.id, pixels, context.options.overlap);
  commitOr(context, patch, `Cell ${target.label} painted`, `Nothing to add to cell ${target.label} there: the pixels are its own or belong to other cells.`);
}

export function eraseFrom(context: ToolContext, target: Cell, pixels: Bitmap): void {
  context.commit(eraseCells(context.document, new Set([target.id]), pixels), `Part of cell ${target.label} erased`);
}

/** A shape in a larger box is no cell; its pixels alone would take the memory of a whole image. */
const LARGEST_SHAPE = 4096 * 4096;

/**
 * A finished loop of image points (not a stroke): a new cell, or into the selected one; with Alt it is cut out of the selected
 * cell, whatever its size.
 */
export function drawShape(context: ToolContext, loop: readonly Point[], subtracts: boolean): void {
  const target = selectedCell(context);
  const box = boxAround(loop, context.document);
  if (subtracts) {
    if (target) eraseFrom(context, target, fillPolygon(loop, target.box));
    else context.say("Select the cell to cut this shape out of.");
  } else if (boxWidth(box) * boxHeight(box) > LARGEST_SHAPE) {
    context.say("That is too large for a cell. Draw a smaller shape.");
  } else if (target && context.options.drawsInto === "selected") {
    drawInto(context, target, fillPolygon(loop, box));
  } else {
    drawNew(context, [fillPolygon(loop, box)]);
  }
}
