import { type Box, boxWidth } from "./box";
import type { Point } from "./contour";
import type { CellsView } from "./draft";
import { bitmapOf, bitmapsOverlap } from "./mask";
import { type Cell, type Patch, cellArea } from "./patch";
import { boxAround, drawLine, spansInside } from "./raster/polygon";

/** What is done to many cells at once; each of these is one Patch, as any other command. */

/** A document that can also name all its cells. */
export interface AllCells extends CellsView {
  cells(): IterableIterator<Cell>;
}

const removal = (removed: readonly Cell[]): Patch => ({ added: [], updated: [], removed });

/**
 * Cells with more than half of their pixels inside the closed line through `loop` (image pixels). Looks only at cells near it, and
 * never at the region's own pixels: it may be as large as the image.
 */
export function cellsInLoop(document: CellsView, loop: readonly Point[]): Cell[] {
  if (loop.length < 3) return [];
  const spans = new Map<number, ReturnType<typeof spansInside>>();
  const spansAt = (y: number): ReturnType<typeof spansInside> => {
    const known = spans.get(y) ?? spansInside(loop, y);
    spans.set(y, known);
    return known;
  };
  const areaInside = (cell: Cell): number => {
    const { box, bits } = bitmapOf(cell);
    let area = 0;
    for (let y = box[1]; y < box[3]; y++) {
      const row = (y - box[1]) * boxWidth(box) - box[0];
      for (const [from, to] of spansAt(y)) {
        for (let x = Math.max(from, box[0]); x < Math.min(to, box[2]); x++) area += bits[row + x];
      }
    }
    return area;
  };
  return document.near(boxAround(loop, document)).filter((cell) => 2 * areaInside(cell) > cellArea(cell));
}

/** Image pixels along an axis that a line is looked at at a time: its box, and not the image's, is what that costs. */
const STRETCH = 256;

/** The line through `points` as short ones, each from where the last one ended. */
function stretches(points: readonly Point[]): [Point, Point][] {
  return points.flatMap((to, index) => {
    const from = points[Math.max(0, index - 1)];
    const count = Math.max(1, Math.ceil(Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) / STRETCH));
    const at = (step: number): Point => ({ x: from.x + ((to.x - from.x) * step) / count, y: from.y + ((to.y - from.y) * step) / count });
    return Array.from({ length: count }, (_, step): [Point, Point] => [at(step), at(step + 1)]);
  });
}

/** Cells with a pixel under the line through `points` (image pixels), in the order that it meets them. */
export function cellsOnLine(document: CellsView, points: readonly Point[]): Cell[] {
  const met = new Map<string, Cell>();
  for (const stretch of stretches(points)) {
    const line = drawLine(stretch, [0, 0, document.width, document.height]);
    for (const cell of document.near(line.box)) if (!met.has(cell.id) && bitmapsOverlap(bitmapOf(cell), line)) met.set(cell.id, cell);
  }
  return [...met.values()];
}

/** Removes the cells with more than half of their pixels inside the loop. */
export const deleteInLoop = (document: CellsView, loop: readonly Point[]): Patch => removal(cellsInLoop(document, loop));

/** Removes every cell but `ids`; nothing if none of them is there. */
export function keepOnly(document: AllCells, ids: ReadonlySet<string>): Patch {
  const all = [...document.cells()];
  return removal(all.some((cell) => ids.has(cell.id)) ? all.filter((cell) => !ids.has(cell.id)) : []);
}

/** Removes the cells with a pixel within `margin` pixels of the image's edge (1: on it). Looks only at cells near the edge. */
export function removeBorderCells(document: CellsView, margin: number): Patch {
  const { width, height } = document;
  const strips: Box[] = [
    [0, 0, width, margin],
    [0, height - margin, width, height],
    [0, 0, margin, height],
    [width - margin, 0, width, height],
  ];
  // A cell's box is tight: where it meets a strip along the edge, so does a pixel of the cell.
  return removal([...new Set(strips.flatMap((strip) => document.near(strip)))]);
}

/** Removes the cells with fewer than `area` pixels. */
export function removeSmallerThan(document: AllCells, area: number): Patch {
  return removal([...document.cells()].filter((cell) => cellArea(cell) < area));
}
