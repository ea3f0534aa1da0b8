import { type Box, boxHeight, boxIntersect, boxIsEmpty, boxWidth } from "../box";
import { type Bitmap, emptyBitmap } from "../mask";
import { type Connectivity, floodFrom, forNeighbours } from "./flood";

/** Connected pieces of a bitmap: a number (1..count, in reading order; 0 outside) for each pixel of its box. */
export interface Components {
  readonly count: number;
  readonly of: Int32Array;
}

export function components({ box, bits }: Bitmap, connectivity: Connectivity): Components {
  const [width, height] = [boxWidth(box), boxHeight(box)];
  const of = new Int32Array(bits.length);
  let count = 0;
  for (let start = 0; start < bits.length; start++) {
    if (!bits[start] || of[start]) continue;
    count += 1;
    of[start] = count;
    const open = [start];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      forNeighbours(index, width, height, connectivity, (neighbour) => {
        if (!bits[neighbour] || of[neighbour]) return;
        of[neighbour] = count;
        open.push(neighbour);
      });
    }
  }
  return { count, of };
}

export const bitmapArea = ({ bits }: Bitmap): number => bits.reduce((sum, bit) => sum + bit, 0);

/** One bitmap per number 1..count of `of` (the numbers of the pixels of `box`), each in its tight box; unused numbers give none. */
export function partsOf(box: Box, of: Int32Array, count: number): Bitmap[] {
  const width = boxWidth(box);
  const bounds = Array.from({ length: count }, () => [Infinity, Infinity, -Infinity, -Infinity]);
  of.forEach((part, index) => {
    if (part < 1) return;
    const bound = bounds[part - 1];
    const x = index % width;
    const y = (index - x) / width;
    bound[0] = Math.min(bound[0], x);
    bound[1] = Math.min(bound[1], y);
    bound[2] = Math.max(bound[2], x + 1);
    bound[3] = Math.max(bound[3], y + 1);
  });
  return bounds.flatMap(([x0, y0, x1, y1], part) => {
    if (x0 > x1) return [];
    const bits = new Uint8Array((x1 - x0) * (y1 - y0));
    for (let y = y0, to = 0; y < y1; y++) {
      for (let x = x0; x < x1; x++, to++) bits[to] = of[y * width + x] === part + 1 ? 1 : 0;
    }
    return [{ box: [box[0] + x0, box[1] + y0, box[0] + x1, box[1] + y1], bits }];
  });
}

/** The connected pieces of a bitmap, the largest first; of two as large, the one that comes first in reading order. */
export function pieces(bitmap: Bitmap, connectivity: Connectivity): Bitmap[] {
  const { of, count } = components(bitmap, connectivity);
  const sized = partsOf(bitmap.box, of, count).map((piece) => ({ piece, area: bitmapArea(piece) }));
  return sized.sort((a, b) => b.area - a.area).map(({ piece }) => piece);
}

/** The piece that holds the image pixel (x, y); empty if that pixel is not set. */
export function pieceAt(bitmap: Bitmap, x: number, y: number, connectivity: Connectivity): Bitmap {
  return floodFrom(bitmap.box, x, y, connectivity, (index) => bitmap.bits[index] === 1);
}

/** A bitmap in another, usually larger box; what lies outside that is left out. */
export function inBox(bitmap: Bitmap, box: Box): Bitmap {
  const moved = emptyBitmap(box);
  const shared = boxIntersect(bitmap.box, box);
  if (boxIsEmpty(shared)) return moved;
  const [fromWidth, toWidth] = [boxWidth(bitmap.box), boxWidth(box)];
  for (let y = shared[1]; y < shared[3]; y++) {
    const from = (y - bitmap.box[1]) * fromWidth - bitmap.box[0];
    moved.bits.set(bitmap.bits.subarray(from + shared[0], from + shared[2]), (y - box[1]) * toWidth + shared[0] - box[0]);
  }
  return moved;
}
