/** How far around a texel the labels are looked at, in texels. */
export const REACH = 2;
/** A texel is a slot in its low bits and a border distance above them. */
export const SLOT_BITS = 23;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
/** Steps of distance a texel; the smallest one that can be said. */
export const DISTANCE_SCALE = 128;
export const DISTANCE_LEAST = -1;
/** Every texel within REACH is of the same slot. */
export const FAR = 511;
/** The distance that stands for anything further. */
const FAR_DISTANCE = REACH + 0.5;
export const FURTHEST = (FAR_DISTANCE - DISTANCE_LEAST) * DISTANCE_SCALE;

/**
 * The quadratic B-spline, widened: stairs of pixels come out as curves, lines of one pixel survive.
 * `x` in texels; the integral over x is 1.
 */
const WIDTH = 1.35;
function spline(x: number): number {
  const t = Math.abs(x) / WIDTH;
  if (t < 0.5) return (0.75 - t * t) / WIDTH;
  return t < 1.5 ? (0.5 * (1.5 - t) ** 2) / WIDTH : 0;
}

const SIDE = 2 * REACH + 1;
const KERNEL = (() => {
  const line = Array.from({ length: SIDE }, (_, i) => spline(i - REACH));
  const sum = line.reduce((a, b) => a + b, 0);
  return Float32Array.from(line.flatMap((a) => line.map((b) => (a * b) / (sum * sum))));
})();

/** The share of the spline's weight that lies on one's own side, `x` texels from a straight border. */
function ownShare(x: number): number {
  const t = x / WIDTH;
  if (t < 0) return 1 - ownShare(-x);
  if (t < 0.5) return 0.5 + 0.75 * t - t ** 3 / 3;
  return t < 1.5 ? 1 - (1.5 - t) ** 3 / 6 : 1;
}

/** Stored distances by share of the weight, in steps of 1 / SHARES. */
const SHARES = 1024;
const DISTANCES = Uint16Array.from({ length: SHARES + 1 }, (_, i) => {
  // The spline hardly sees the second texel: one with another slot there is that far from it.
  let [low, high] = [DISTANCE_LEAST, REACH - 0.5];
  for (let step = 0; step < 20; step++) {
    const x = (low + high) / 2;
    if (ownShare(x) < i / SHARES) low = x;
    else high = x;
  }
  return Math.round((low - DISTANCE_LEAST) * DISTANCE_SCALE);
});

/** Whether all texels within REACH are alike: two passes, so a texel costs a few comparisons. 1 where they are. */
function plainPlaces(slots: Uint32Array, width: number): Uint8Array {
  const height = slots.length / width;
  const even = new Uint8Array(slots.length);
  for (let y = 0; y < height; y++) {
    // How many texels up to here are alike, in this row.
    let run = 0;
    for (let x = 0, i = y * width; x < width; x++, i++) {
      run = x > 0 && slots[i] === slots[i - 1] ? run + 1 : 1;
      if (run >= SIDE) even[i - REACH] = 1;
    }
  }
  const plain = new Uint8Array(slots.length);
  const runs = new Uint16Array(width);
  for (let y = 0; y < height; y++) {
    for (let x = REACH, i = y * width + x; x < width - REACH; x++, i++) {
      const alike = y > 0 && slots[i] === slots[i - width];
      runs[x] = even[i] ? (alike ? runs[x] + 1 : 1) : 0;
      if (runs[x] >= SIDE) plain[i - REACH * width] = 1;
    }
  }
  return plain;
}

function shareAt(slots: Uint32Array, width: number, at: number): number {
  const slot = slots[at];
  let share = 0;
  let k = 0;
  for (let row = at - REACH * width - REACH, y = 0; y < SIDE; y++, row += width) {
    for (let x = 0; x < SIDE; x++, k++) if (slots[row + x] === slot) share += KERNEL[k];
  }
  return share;
}

/**
 * Texels for the label shader: of `slots` (row-major, `width` texels wide, REACH more on every side than is returned) each
 * inner one, with its distance to the smoothed border of its slot. Where smoothing gives the texel to a neighbour the
 * distance is below 0. Distances are in texels, exact for straight borders along an axis.
 */
export function withDistances(slots: Uint32Array, width: number): Uint32Array {
  const innerWidth = width - 2 * REACH;
  const innerHeight = slots.length / width - 2 * REACH;
  const plain = plainPlaces(slots, width);
  const out = new Uint32Array(innerWidth * innerHeight);
  for (let y = 0, to = 0; y < innerHeight; y++) {
    for (let x = 0, i = (y + REACH) * width + REACH; x < innerWidth; x++, i++, to++) {
      const distance = plain[i] ? FAR : DISTANCES[Math.round(shareAt(slots, width, i) * SHARES)];
      out[to] = ((distance << SLOT_BITS) | (slots[i] & SLOT_MASK)) >>> 0;
    }
  }
  return out;
}
