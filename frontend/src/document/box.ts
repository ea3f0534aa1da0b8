/** A half-open pixel box [x0, y0, x1, y1) in image pixels; (0, 0) is the top left corner of the first pixel. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

export const boxWidth = (box: Box): number => box[2] - box[0];
export const boxHeight = (box: Box): number => box[3] - box[1];
export const boxIsEmpty = (box: Box): boolean => box[0] >= box[2] || box[1] >= box[3];

/** The shared part of two boxes; empty (see `boxIsEmpty`) when they are apart. */
export function boxIntersect(a: Box, b: Box): Box {
  return [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
}

export const boxesTouch = (a: Box, b: Box): boolean => !boxIsEmpty(boxIntersect(a, b));

/** The smallest box around both. */
export function boxUnion(a: Box, b: Box): Box {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}

export function boxGrow(box: Box, by: number): Box {
  return [box[0] - by, box[1] - by, box[2] + by, box[3] + by];
}

export function boxHolds(box: Box, x: number, y: number): boolean {
  return x >= box[0] && x < box[2] && y >= box[1] && y < box[3];
}

export function boxEquals(a: Box, b: Box): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}
