import { type Box, boxHeight, boxHolds, boxWidth } from "../box";
import { type Bitmap, emptyBitmap } from "../mask";

/** Whether pixels that meet only at a corner hang together (8) or not (4). */
export type Connectivity = 4 | 8;

/** Steps (dx, dy) to the neighbours of a pixel; the four that share an edge come first. */
const STEPS: readonly (readonly [dx: number, dy: number])[] = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
  [1, 1],
  [-1, 1],
  [-1, -1],
  [1, -1],
];

/** Calls `visit` with the index of each neighbour of pixel `index` inside a `width` x `height` grid. */
export function forNeighbours(index: number, width: number, height: number, connectivity: Connectivity, visit: (neighbour: number) => void): void {
  const x = index % width;
  const y = (index - x) / width;
  for (let step = 0; step < connectivity; step++) {
    const [dx, dy] = STEPS[step];
    if (x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height) visit(index + dy * width + dx);
  }
}

/** The pixels of `box` that hang together with the image pixel (x, y) through pixels whose index is accepted. Costs what it fills. */
export function floodFrom(box: Box, x: number, y: number, connectivity: Connectivity, accepts: (index: number) => boolean): Bitmap {
  const found = emptyBitmap(box);
  const [width, height] = [boxWidth(box), boxHeight(box)];
  const start = (y - box[1]) * width + x - box[0];
  if (!boxHolds(box, x, y) || !accepts(start)) return found;
  found.bits[start] = 1;
  const open = [start];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    forNeighbours(index, width, height, connectivity, (neighbour) => {
      if (found.bits[neighbour] || !accepts(neighbour)) return;
      found.bits[neighbour] = 1;
      open.push(neighbour);
    });
  }
  return found;
}

/** Whether a bitmap has a pixel on the rim of its box at a place where the image goes on. */
export function reachesRim({ box, bits }: Bitmap, image: { readonly width: number; readonly height: number }): boolean {
  const [width, height] = [boxWidth(box), boxHeight(box)];
  const column = (x: number): boolean => Array.from({ length: height }, (_, y) => bits[y * width + x]).some(Boolean);
  const row = (y: number): boolean => bits.subarray(y * width, (y + 1) * width).some(Boolean);
  return (
    (box[0] > 0 && column(0)) ||
    (box[1] > 0 && row(0)) ||
    (box[2] < image.width && column(width - 1)) ||
    (box[3] < image.height && row(height - 1))
  );
}
