import { boxHeight, boxWidth } from "../box";
import type { Bitmap } from "../mask";

/** The four straight segments through a pixel (left-right, up-down, both diagonals) as steps to their two ends. */
const SEGMENTS: readonly (readonly [dx: number, dy: number])[] = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -1],
];

/** 1 where `wanted` fills a whole segment through the pixel ("SI" of set pixels; of unset ones, the complement of "IS"). */
function onSegment(bits: Uint8Array, width: number, height: number, wanted: 0 | 1): Uint8Array {
  const at = (x: number, y: number): number => bits[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))];
  return Uint8Array.from(bits, (bit, index) => {
    if (bit !== wanted) return 0;
    const x = index % width;
    const y = (index - x) / width;
    return SEGMENTS.some(([dx, dy]) => at(x - dx, y - dy) === wanted && at(x + dx, y + dy) === wanted) ? 1 : 0;
  });
}

const supInf = (bits: Uint8Array, width: number, height: number): Uint8Array => onSegment(bits, width, height, 1);
const infSup = (bits: Uint8Array, width: number, height: number): Uint8Array => onSegment(bits, width, height, 0).map((bit) => 1 - bit);

export interface ChanVeseOptions {
  readonly iterations: number;
  /** Rounds of curvature smoothing after each step: more gives a smoother outline. */
  readonly smoothing: number;
}

/** Mean of `values` where `side` says so; null if nowhere. */
function meanWhere(values: Float32Array, side: (index: number) => boolean): number | null {
  let [sum, count] = [0, 0];
  for (let index = 0; index < values.length; index++) {
    if (!side(index)) continue;
    sum += values[index];
    count += 1;
  }
  return count > 0 ? sum / count : null;
}

/**
 * Moves the outline of `start` to where the image differs most between inside and outside: the morphological form of active contours
 * without edges (Marquez-Neila, Baumela and Alvarez, "A Morphological Approach to Curvature-based Evolution of Curves and
 * Surfaces", 2014, with both sides weighed alike). `values` has a sample for each pixel of `start`'s box. Pixels set in `barred` (same
 * box) belong to others: they count on neither side and are never taken. Ends early when nothing moves any more.
 */
export function chanVese(start: Bitmap, values: Float32Array, barred: Bitmap, { iterations, smoothing }: ChanVeseOptions): Bitmap {
  const [width, height] = [boxWidth(start.box), boxHeight(start.box)];
  let bits: Uint8Array = start.bits.map((bit, index) => (barred.bits[index] ? 0 : bit));

  /** Whether a neighbour along x or y lies on the other side: the gradient of the level set is not zero there. */
  const onBorder = (index: number): boolean => {
    const x = index % width;
    const bit = bits[index];
    return (
      (x > 0 && bits[index - 1] !== bit) ||
      (x + 1 < width && bits[index + 1] !== bit) ||
      (index >= width && bits[index - width] !== bit) ||
      (index + width < bits.length && bits[index + width] !== bit)
    );
  };
  const pull = (): Uint8Array | null => {
    const inside = meanWhere(values, (index) => bits[index] === 1 && !barred.bits[index]);
    const outside = meanWhere(values, (index) => bits[index] === 0 && !barred.bits[index]);
    // Without a difference there is nothing to hold on to, and smoothing alone would wear the shape away.
    if (inside === null || outside === null || inside === outside) return null;
    return bits.map((bit, index) => {
      if (barred.bits[index]) return 0;
      if (!onBorder(index)) return bit;
      const [near, far] = [(values[index] - inside) ** 2, (values[index] - outside) ** 2];
      return near === far ? bit : Number(near < far);
    });
  };

  let previous: Uint8Array | null = null;
  for (let step = 0; step < iterations; step++) {
    let next = pull();
    if (next === null) break;
    for (let round = 0; round < smoothing; round++) {
      // The two orders take turns, so that neither growing nor shrinking is favoured.
      const [first, second] = (step + round) % 2 === 0 ? [supInf, infSup] : [infSup, supInf];
      next = second(first(next, width, height), width, height);
    }
    next = next.map((bit, index) => (barred.bits[index] ? 0 : bit));
    const before = previous;
    previous = bits;
    bits = next;
    // Taking turns can end in a swing between two shapes; that is the end as well.
    if (same(bits, previous) || (before !== null && same(bits, before))) break;
  }
  return { box: start.box, bits };
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((bit, index) => bit === b[index]);
