/** Round numbers for an axis. */

/** 3 to 6 ticks from 0 to at least `top`, at steps of 1, 2 or 5 times a power of ten. */
export function ticksTo(top: number): number[] {
  const most = top > 0 ? top : 1;
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough - 1e-12) ?? 10) * power;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

/** At most `count` of `length` places, evenly spread, the last one among them. */
export function spreadPlaces(length: number, count: number): number[] {
  if (length <= count) return Array.from({ length }, (_, index) => index);
  return Array.from({ length: count }, (_, index) => Math.round((index * (length - 1)) / (count - 1)));
}
