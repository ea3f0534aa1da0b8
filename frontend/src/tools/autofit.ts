import { type Box, boxGrow, boxHeight, boxIntersect, boxWidth } from "../document/box";
import { type CellsView, forEachCell } from "../document/draft";
import { type Bitmap, bitmapCut, bitmapOf, bitmapUnion, emptyBitmap } from "../document/mask";
import type { OverlapPolicy } from "../document/overlap";
import { type Cell, EMPTY_PATCH, type Patch } from "../document/patch";
import { type ChanVeseOptions, chanVese } from "../document/raster/chanVese";
import { bitmapArea, inBox, pieces } from "../document/raster/components";
import { reshapeCell } from "../document/reshaping";

/** Surroundings that the outline may grow into and that tell what background is: this many pixels, or half the cell. */
const LEAST_MARGIN = 8;
/** A result with fewer pixels is not a cell: the outline found nothing to hold on to. */
const SMALLEST_RESULT = 20;
/** Pixels times steps: a large cell gets fewer steps, so that the page never stands still for long. */
const MOST_WORK = 3e7;
const LEAST_STEPS = 5;

export interface AutofitOptions extends ChanVeseOptions {
  readonly overlap: OverlapPolicy;
}

/** The part of the picture that fitting a cell looks at. */
export function autofitBox(cell: Cell, image: { readonly width: number; readonly height: number }): Box {
  const margin = Math.max(LEAST_MARGIN, Math.ceil(Math.max(boxWidth(cell.box), boxHeight(cell.box)) / 2));
  return boxIntersect(boxGrow(cell.box, margin), [0, 0, image.width, image.height]);
}

function pixelsOfOthers(document: CellsView, box: Box, id: string): Bitmap {
  const others = document.near(box).filter((cell) => cell.id !== id);
  return bitmapUnion([emptyBitmap(box), ...others.map((cell) => bitmapCut(bitmapOf(cell), box))]) ?? emptyBitmap(box);
}

/** Fits one cell to the picture; `samples` are those of `autofitBox`. Nothing if too little would be left of it. */
export function autofitCell(document: CellsView, cell: Cell, samples: Float32Array, options: AutofitOptions): Patch {
  const box = autofitBox(cell, document);
  const barred = options.overlap === "exclude" ? pixelsOfOthers(document, box, cell.id) : emptyBitmap(box);
  const iterations = Math.min(options.iterations, Math.max(LEAST_STEPS, Math.floor(MOST_WORK / samples.length)));
  const [fitted] = pieces(chanVese(inBox(bitmapOf(cell), box), samples, barred, { ...options, iterations }), 8);
  return fitted && bitmapArea(fitted) >= SMALLEST_RESULT ? reshapeCell(document, cell, fitted, options.overlap) : EMPTY_PATCH;
}

/** Fits several cells as one patch; those that changed while their samples were read are left as they are now. */
export function autofitCells(document: CellsView, read: ReadonlyMap<Cell, Float32Array>, options: AutofitOptions): Patch {
  const ids = [...read.keys()].filter((cell) => document.get(cell.id) === cell).map((cell) => cell.id);
  const samplesOf = new Map([...read].map(([cell, samples]) => [cell.id, samples]));
  return forEachCell(document, ids, (draft, cell) => {
    const samples = samplesOf.get(cell.id);
    // A neighbour fitted before it may have taken some of its pixels: then its samples are of another box.
    return samples && document.get(cell.id) === cell ? autofitCell(draft, cell, samples, options) : EMPTY_PATCH;
  });
}
