import { boxHeight, boxWidth } from "./box";
import { type BoxMask, bitmapOf } from "./mask";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The outer outline of the first piece of a mask, as pixel corners in image pixels, clockwise, closed in itself.
 * Walks along pixel edges with the cell on the right hand. Holes and further pieces are left out: it serves handles and tags.
 */
export function outline(mask: BoxMask): Point[] {
  const { box, bits } = bitmapOf(mask);
  const [width, height] = [boxWidth(box), boxHeight(box)];
  const set = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height && bits[y * width + x] === 1;
  const first = bits.indexOf(1);
  if (first < 0) return [];
  const start = { x: first % width, y: Math.floor(first / width) };
  const points: Point[] = [];
  let [x, y, dx, dy] = [start.x, start.y, 1, 0];
  do {
    points.push({ x: x + box[0], y: y + box[1] });
    x += dx;
    y += dy;
    // The pixels ahead, to the left and to the right of the corner reached.
    const left = set(x + (dx + dy - 1) / 2, y + (dy - dx - 1) / 2);
    const right = set(x + (dx - dy - 1) / 2, y + (dy + dx - 1) / 2);
    if (left) [dx, dy] = [dy, -dx];
    else if (!right) [dx, dy] = [-dy, dx];
  } while (x !== start.x || y !== start.y);
  return points;
}

/** `count` places spread evenly along an outline, its stairs smoothed. */
export function spread(points: readonly Point[], count: number): Point[] {
  const n = points.length;
  return Array.from({ length: Math.min(count, n) }, (_, k) => {
    const middle = Math.floor((k * n) / count);
    const around = [-2, -1, 0, 1, 2].map((offset) => points[(middle + offset + n) % n]);
    return {
      x: around.reduce((sum, point) => sum + point.x, 0) / around.length,
      y: around.reduce((sum, point) => sum + point.y, 0) / around.length,
    };
  });
}
