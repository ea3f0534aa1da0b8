import type { Tile } from "../render/tileCache";

export const BINS = 96;

/** How often samples occur, in equal bins from 0 to `max`. */
export interface Histogram {
  readonly counts: readonly number[];
  readonly max: number;
  /** A range that shows the picture well: dark noise black, the brightest few samples white. */
  readonly auto: { readonly low: number; readonly high: number };
}

const DARK_SHARE = 0.005;
const BRIGHT_SHARE = 0.998;

export function histogramOf(samples: Tile["samples"]): Histogram {
  let max = 1;
  for (const sample of samples) max = Math.max(max, sample);
  const exact = new Uint32Array(max + 1);
  for (const sample of samples) exact[sample] += 1;
  const counts = Array.from({ length: BINS }, () => 0);
  exact.forEach((count, sample) => {
    counts[Math.min(BINS - 1, Math.floor((sample / (max + 1)) * BINS))] += count;
  });
  const quantile = (share: number): number => {
    let seen = 0;
    for (let sample = 0; sample <= max; sample++) {
      seen += exact[sample];
      if (seen >= share * samples.length) return sample;
    }
    return max;
  };
  const low = quantile(DARK_SHARE);
  return { counts, max, auto: { low, high: Math.max(low + 1, quantile(BRIGHT_SHARE)) } };
}

/** Bar heights 0..1 on a log scale: background would flatten everything else on a linear one. */
export function logHeights(counts: readonly number[]): number[] {
  const most = Math.log1p(Math.max(1, ...counts));
  return counts.map((count) => Math.log1p(count) / most);
}
