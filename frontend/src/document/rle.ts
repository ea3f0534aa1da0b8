/**
 * Binary masks as run lengths, row-major, background first: the same form as `labeling/rle.py`.
 * The first run is 0 if the first pixel is set; no other run may be 0.
 */
export class RleError extends Error {
  override readonly name = "RleError";
}

/** Run lengths of a row-major 0/1 mask. An empty mask gives one run, no pixels give no runs. */
export function encode(mask: Uint8Array): number[] {
  const runs: number[] = [];
  let value = 0;
  let start = 0;
  for (let i = 0; i < mask.length; i++) {
    const pixel = mask[i] ? 1 : 0;
    if (pixel !== value) {
      runs.push(i - start);
      start = i;
      value = pixel;
    }
  }
  if (mask.length > start) runs.push(mask.length - start);
  return runs;
}

/** The row-major 0/1 mask of `runs`. Throws RleError as `labeling/rle.py` does. */
export function decode(runs: readonly number[], height: number, width: number): Uint8Array {
  checkRuns(runs, height * width);
  const mask = new Uint8Array(height * width);
  let at = 0;
  runs.forEach((run, index) => {
    if (index % 2 === 1) mask.fill(1, at, at + run);
    at += run;
  });
  return mask;
}

export function checkRuns(runs: readonly number[], pixels: number): void {
  let sum = 0;
  runs.forEach((run, index) => {
    if (!Number.isInteger(run) || run < 0 || (index > 0 && run === 0)) {
      throw new RleError("runs must be positive; only the first may be 0");
    }
    sum += run;
  });
  if (sum !== pixels) throw new RleError(`runs add up to ${sum} pixels, the box has ${pixels}`);
}

/** Number of set pixels. */
export function runsArea(runs: readonly number[]): number {
  let area = 0;
  for (let i = 1; i < runs.length; i += 2) area += runs[i] ?? 0;
  return area;
}
