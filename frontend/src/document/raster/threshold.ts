import type { Box } from "../box";
import type { Bitmap } from "../mask";
import { components } from "./components";

const BINS = 256;

/** Lowest and highest of `values`; (0, 0) without any. */
export function rangeOf(values: Float32Array): { readonly low: number; readonly high: number } {
  if (values.length === 0) return { low: 0, high: 0 };
  return values.reduce((range, value) => ({ low: Math.min(range.low, value), high: Math.max(range.high, value) }), { low: Infinity, high: -Infinity });
}

/**
 * The triangle threshold of Zack, Rogers and Latt, "Automatic Measurement of Sister Chromatid Exchange Frequency" (1977):
 * a straight line is drawn in the histogram from its peak to the end of its longer tail; the bin farthest under that line parts
 * the peak (background) from the tail. Returns a value in the samples' own units; samples above it belong to the tail if that
 * is the bright one.
 */
export function triangleThreshold(values: Float32Array): number {
  const { low, high } = rangeOf(values);
  if (high <= low) return high;
  const counts = new Float64Array(BINS);
  const binOf = (value: number): number => Math.min(BINS - 1, Math.floor(((value - low) / (high - low)) * BINS));
  for (const value of values) counts[binOf(value)] += 1;
  const peak = counts.reduce((best, count, bin) => (count > counts[best] ? bin : best), 0);
  // The tail that is longer carries the objects; the other way round the walk goes down.
  const end = peak < BINS / 2 ? BINS - 1 : 0;
  const step = Math.sign(end - peak);
  let [best, farthest] = [peak, -1];
  for (let bin = peak; bin !== end; bin += step) {
    const line = counts[peak] + ((counts[end] - counts[peak]) * (bin - peak)) / (end - peak);
    // The distance across the line is this drop times a constant.
    if (line - counts[bin] > farthest) [best, farthest] = [bin, line - counts[bin]];
  }
  return low + ((best + (step > 0 ? 1 : 0)) / BINS) * (high - low);
}

/** The pixels above `low` that hang together (8-connected) with one above `high`. `values` are those of `box`, row-major. */
export function hysteresis(box: Box, values: Float32Array, low: number, high: number): Bitmap {
  const bits = Uint8Array.from(values, (value) => (value > low ? 1 : 0));
  const { of, count } = components({ box, bits }, 8);
  const strong = new Uint8Array(count + 1);
  values.forEach((value, index) => {
    if (value > high) strong[of[index]] = 1;
  });
  strong[0] = 0;
  return { box, bits: Uint8Array.from(of, (part) => strong[part]) };
}

/** How far apart the samples lie when the share `outliers` (0..0.5) is left out at each end: hot and dead pixels. 0 without any. */
export function spreadOf(values: Float32Array, outliers: number): number {
  const sorted = values.slice().sort();
  const skipped = Math.floor(outliers * sorted.length);
  return sorted.length === 0 ? 0 : sorted[sorted.length - 1 - skipped] - sorted[skipped];
}
