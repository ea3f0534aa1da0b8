import { boxWidth } from "./box";
import type { Point } from "./contour";
import type { CellsView } from "./draft";
import { type Bitmap, bitmapOf, bitmapUnion, bitmapsOverlap, tightMask } from "./mask";
import { redrawn } from "./overlap";
import { type Cell, EMPTY_PATCH, type Patch } from "./patch";
import { bitmapArea, components, inBox, partsOf } from "./raster/components";
import { drawLine } from "./raster/polygon";
import { distanceInside } from "./raster/distance";
import { watershed } from "./raster/watershed";

/** Parts of a cut with fewer pixels are shavings at its rim, not cells. */
const SMALLEST_PART = 5;

/**
 * Cuts a cell into the parts 1..count of `of` (numbers of the pixels of its box). The largest part keeps the id and the label, the
 * others become new cells of the same class, largest first; pixels of no part stay with the largest.
 */
function divide(document: CellsView, cell: Cell, of: Int32Array, count: number, newId: () => string): Patch {
  const parts = partsOf(cell.box, of, count)
    .map((part) => ({ part, area: bitmapArea(part) }))
    .sort((a, b) => b.area - a.area)
    .map(({ part }) => part);
  if (parts.length < 2) return EMPTY_PATCH;
  const mine = bitmapOf(cell);
  const rest: Bitmap = { box: cell.box, bits: mine.bits.map((bit, index) => (bit && of[index] < 1 ? 1 : 0)) };
  const [largest, ...others] = parts;
  const kept = bitmapUnion([largest, rest]);
  const shape = kept && tightMask(kept);
  if (!shape) return EMPTY_PATCH;
  const label = document.nextLabel();
  const added = others.flatMap((part, index) => {
    const mask = tightMask(part);
    return mask ? [{ ...redrawn(cell, mask), id: newId(), label: label + index }] : [];
  });
  return { added, updated: [{ before: cell, after: redrawn(cell, shape) }], removed: [] };
}

/** Gives each unnumbered pixel of `mask` the number of the part that reaches it first. */
function share(mask: Bitmap, of: Int32Array): Int32Array {
  return watershed(mask, new Float32Array(mask.bits.length), of);
}

/**
 * Splits a cell in two by one seed pixel in each half. Without `intensities` the basins are those of its shape (deepest where it
 * is thickest); with them (a sample for each pixel of the cell's box) they are its bright places. Nothing if a seed lies
 * outside the cell or both are the same.
 */
export function splitBySeeds(document: CellsView, cell: Cell, seeds: readonly [Point, Point], newId: () => string, intensities?: Float32Array): Patch {
  const mine = bitmapOf(cell);
  const width = boxWidth(cell.box);
  const markers = new Int32Array(mine.bits.length);
  for (const [index, { x, y }] of seeds.entries()) {
    if (x < cell.box[0] || y < cell.box[1] || x >= cell.box[2] || y >= cell.box[3]) return EMPTY_PATCH;
    const place = (y - cell.box[1]) * width + x - cell.box[0];
    if (!mine.bits[place] || markers[place]) return EMPTY_PATCH;
    markers[place] = index + 1;
  }
  const landscape = (intensities ?? distanceInside(mine)).map((height) => -height);
  return divide(document, cell, watershed(mine, landscape, markers), 2, newId);
}

/**
 * Cuts a cell along a drawn line. Each of its pieces that the line parts is divided; the pixels under the line go to the side that
 * is nearest. Nothing if the line does not go right through.
 */
export function splitByLine(document: CellsView, cell: Cell, line: readonly Point[], newId: () => string): Patch {
  const mine = bitmapOf(cell);
  const cut = inBox(drawLine(line, cell.box), cell.box);
  if (!bitmapsOverlap(mine, cut)) return EMPTY_PATCH;
  const whole = components(mine, 8);
  const sides = components({ box: cell.box, bits: mine.bits.map((bit, index) => (cut.bits[index] ? 0 : bit)) }, 8);
  const areas = new Int32Array(sides.count + 1);
  const pieceOf = new Int32Array(sides.count + 1);
  sides.of.forEach((side, index) => {
    areas[side] += 1;
    pieceOf[side] = whole.of[index];
  });
  const large = (side: number): boolean => side > 0 && areas[side] >= SMALLEST_PART;
  const sidesOf = new Int32Array(whole.count + 1);
  pieceOf.forEach((piece, side) => {
    if (large(side)) sidesOf[piece] += 1;
  });
  // A piece that the line does not part stays with the cell, whatever else is cut.
  const parts = sides.of.map((side) => (large(side) && sidesOf[pieceOf[side]] > 1 ? side : 0));
  const parted: Bitmap = { box: cell.box, bits: mine.bits.map((bit, index) => (bit && sidesOf[whole.of[index]] > 1 ? 1 : 0)) };
  return divide(document, cell, share(parted, parts), sides.count, newId);
}
