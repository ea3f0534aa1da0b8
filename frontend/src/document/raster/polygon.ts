import { type Box, boxHolds, boxIntersect } from "../box";
import type { Point } from "../contour";
import { type Bitmap, emptyBitmap } from "../mask";

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The smallest pixel box around `points` (image pixels). */
function hull(points: readonly Point[]): Box {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  return [Math.floor(Math.min(...xs)), Math.floor(Math.min(...ys)), Math.ceil(Math.max(...xs)), Math.ceil(Math.max(...ys))];
}

/** The smallest pixel box around `points` (image pixels), cut at the image's edge. */
export function boxAround(points: readonly Point[], { width, height }: Size): Box {
  const within = (value: number, end: number): number => Math.min(end, Math.max(0, value));
  const [x0, y0, x1, y1] = hull(points);
  return [within(x0, width), within(y0, height), within(x1, width), within(y1, height)];
}

/** Where the closed line through `points` crosses the height `y`: x and whether it runs down (1) or up (-1), left to right. */
function crossings(points: readonly Point[], y: number): { x: number; turn: number }[] {
  const found: { x: number; turn: number }[] = [];
  points.forEach((a, index) => {
    const b = points[(index + 1) % points.length];
    if (a.y <= y === b.y <= y) return;
    found.push({ x: a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x), turn: a.y < b.y ? 1 : -1 });
  });
  return found.sort((a, b) => a.x - b.x);
}

/**
 * The pixels of row `y` whose centres the closed line through `points` goes around, as half-open spans from left to right
 * (nonzero winding number: where a loop crosses itself nothing falls out).
 */
export function spansInside(points: readonly Point[], y: number): (readonly [from: number, to: number])[] {
  let winding = 0;
  const row = crossings(points, y + 0.5);
  return row.flatMap(({ x, turn }, index) => {
    winding += turn;
    if (winding === 0) return [];
    const span = [Math.ceil(x - 0.5), Math.ceil(row[index + 1].x - 0.5)] as const;
    return span[0] < span[1] ? [span] : [];
  });
}

/** The pixels in `within` whose centres the closed line through `points` goes around. */
export function fillPolygon(points: readonly Point[], within: Box): Bitmap {
  if (points.length < 3) return emptyBitmap([0, 0, 0, 0]);
  const bitmap = emptyBitmap(boxIntersect(hull(points), within));
  const [x0, y0, x1, y1] = bitmap.box;
  for (let y = y0; y < y1; y++) {
    const row = (y - y0) * (x1 - x0) - x0;
    for (const [from, to] of spansInside(points, y)) {
      if (to > x0 && from < x1) bitmap.bits.fill(1, row + Math.max(x0, from), row + Math.min(x1, to));
    }
  }
  return bitmap;
}

/**
 * The pixels in `within` that a line through `points` passes, each sharing an edge with the next: nothing that hangs together by
 * corners gets through between them. Walks from pixel to pixel across the edge that the line crosses first
 * (Amanatides and Woo, "A Fast Voxel Traversal Algorithm for Ray Tracing", 1987).
 */
export function drawLine(points: readonly Point[], within: Box): Bitmap {
  const all = points.map(({ x, y }) => ({ x: Math.floor(x), y: Math.floor(y) }));
  const [x0, y0, x1, y1] = hull(all);
  const line = emptyBitmap(boxIntersect([x0, y0, x1 + 1, y1 + 1], within));
  const set = (x: number, y: number): void => {
    if (boxHolds(line.box, x, y)) line.bits[(y - line.box[1]) * (line.box[2] - line.box[0]) + x - line.box[0]] = 1;
  };
  points.forEach((from, index) => {
    const to = points[Math.min(index + 1, points.length - 1)];
    const end = all[Math.min(index + 1, all.length - 1)];
    let { x, y } = all[index];
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const [stepX, stepY] = [Math.sign(dx), Math.sign(dy)];
    // Share of the way to the next pixel edge, on each axis.
    let nextX = dx === 0 ? Infinity : (x + (dx > 0 ? 1 : 0) - from.x) / dx;
    let nextY = dy === 0 ? Infinity : (y + (dy > 0 ? 1 : 0) - from.y) / dy;
    set(x, y);
    for (let left = Math.abs(end.x - x) + Math.abs(end.y - y); left > 0; left--) {
      if (y === end.y || (x !== end.x && nextX <= nextY)) {
        x += stepX;
        nextX += Math.abs(1 / dx);
      } else {
        y += stepY;
        nextY += Math.abs(1 / dy);
      }
      set(x, y);
    }
  });
  return line;
}
