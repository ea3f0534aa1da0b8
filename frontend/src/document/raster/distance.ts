import { boxHeight, boxWidth } from "../box";
import type { Bitmap } from "../mask";

const FAR = 1e20;

/**
 * Lower envelope of the parabolas (x - q)^2 + values[q], read off at each x, in place. `start`, `step` and `count` name
 * the row or column of `values`. Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions" (2012).
 */
function envelope(values: Float64Array, start: number, step: number, count: number): void {
  const heights = Float64Array.from({ length: count }, (_, i) => values[start + i * step]);
  const vertices = new Int32Array(count);
  const borders = new Float64Array(count + 1);
  let last = 0;
  borders[0] = -Infinity;
  borders[1] = Infinity;
  const crossing = (q: number, v: number): number => (heights[q] + q * q - heights[v] - v * v) / (2 * (q - v));
  for (let q = 1; q < count; q++) {
    let at = crossing(q, vertices[last]);
    while (at <= borders[last]) {
      last -= 1;
      at = crossing(q, vertices[last]);
    }
    last += 1;
    vertices[last] = q;
    borders[last] = at;
    borders[last + 1] = Infinity;
  }
  let k = 0;
  for (let x = 0; x < count; x++) {
    while (borders[k + 1] < x) k += 1;
    values[start + x * step] = (x - vertices[k]) ** 2 + heights[vertices[k]];
  }
}

/** Euclidean distance (pixels) from each set pixel's centre to the nearest unset pixel's centre; what lies outside the box is unset. */
export function distanceInside({ box, bits }: Bitmap): Float32Array {
  const [width, height] = [boxWidth(box) + 2, boxHeight(box) + 2];
  const squares = new Float64Array(width * height);
  bits.forEach((bit, index) => {
    const x = index % (width - 2);
    squares[((index - x) / (width - 2) + 1) * width + x + 1] = bit ? FAR : 0;
  });
  for (let x = 0; x < width; x++) envelope(squares, x, width, height);
  for (let y = 0; y < height; y++) envelope(squares, y * width, 1, width);
  return Float32Array.from(bits, (_, index) => {
    const x = index % (width - 2);
    return Math.sqrt(squares[((index - x) / (width - 2) + 1) * width + x + 1]);
  });
}
