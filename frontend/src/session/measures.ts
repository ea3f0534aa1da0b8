import { boxHeight, boxWidth } from "../document/box";
import { type BoxMask, bitmapOf } from "../document/mask";
import type { Pixels } from "../tools/pixels";

const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const whole = (value: number): string => WHOLE.format(value);

/** "91 µm²" where the pixel size is known, else "1,024 px"; no decimals over 10. */
export function areaWords(pixels: number, pixelSizeUm: number | null): string {
  return `${areaFigure(pixels, pixelSizeUm)} ${areaUnit(pixelSizeUm)}`;
}

export const areaUnit = (pixelSizeUm: number | null): string => (pixelSizeUm ? "µm²" : "px");

export function areaFigure(pixels: number, pixelSizeUm: number | null): string {
  if (!pixelSizeUm) return whole(pixels);
  const area = pixels * pixelSizeUm ** 2;
  return area > 10 ? whole(area) : area.toFixed(1);
}

/** What can be said of one cell's pixels. Lengths and areas in pixels, intensities in the file's own values. */
export interface Measures {
  readonly area: number;
  /** Benkrid and Crookes' estimator (2000), as scikit-image's `perimeter` with the 4-neighbourhood. */
  readonly perimeter: number;
  /** The centre of the pixels' centres. */
  readonly centre: { readonly x: number; readonly y: number };
  /** 4 pi area / perimeter²: 1 for a circle, less the longer or the more ragged the outline is. */
  readonly roundness: number;
}

export interface CellMeasures extends Measures {
  /** Mean intensity per channel; null where the pixels could not be loaded. */
  readonly means: readonly (number | null)[];
}

/** Length of the outline through a border pixel, by which of its neighbours are border pixels too. */
const STEPS: Readonly<Record<number, number>> = Object.fromEntries([
  ...[5, 7, 15, 17, 25, 27].map((code) => [code, 1]),
  ...[21, 33].map((code) => [code, Math.SQRT2]),
  ...[13, 23].map((code) => [code, (1 + Math.SQRT2) / 2]),
]) as Record<number, number>;

function perimeterOf(bits: Uint8Array, width: number, height: number): number {
  const at = (values: Uint8Array, x: number, y: number): number => (x >= 0 && y >= 0 && x < width && y < height ? values[y * width + x] : 0);
  const border = new Uint8Array(bits.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = at(bits, x - 1, y) && at(bits, x + 1, y) && at(bits, x, y - 1) && at(bits, x, y + 1);
      if (at(bits, x, y) && !inside) border[y * width + x] = 1;
    }
  }
  let length = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!border[y * width + x]) continue;
      const straight = at(border, x - 1, y) + at(border, x + 1, y) + at(border, x, y - 1) + at(border, x, y + 1);
      const slanted = at(border, x - 1, y - 1) + at(border, x + 1, y - 1) + at(border, x - 1, y + 1) + at(border, x + 1, y + 1);
      length += STEPS[1 + 2 * straight + 10 * slanted] ?? 0;
    }
  }
  return length;
}

export function measure(cell: BoxMask): Measures {
  const { box, bits } = bitmapOf(cell);
  const [width, height] = [boxWidth(box), boxHeight(box)];
  let [area, sumX, sumY] = [0, 0, 0];
  bits.forEach((bit, index) => {
    if (!bit) return;
    area += 1;
    sumX += (index % width) + 0.5;
    sumY += Math.floor(index / width) + 0.5;
  });
  const perimeter = perimeterOf(bits, width, height);
  const centre = { x: box[0] + sumX / area, y: box[1] + sumY / area };
  return { area, perimeter, centre, roundness: perimeter > 0 ? Math.min(1, (4 * Math.PI * area) / perimeter ** 2) : 1 };
}

/** The mean of `samples` (those of the cell's box, row-major) over the cell's pixels. */
export function meanIn(cell: BoxMask, samples: Float32Array): number {
  const { bits } = bitmapOf(cell);
  let [sum, count] = [0, 0];
  bits.forEach((bit, index) => {
    if (!bit) return;
    sum += samples[index];
    count += 1;
  });
  return sum / count;
}

export async function measureCell(cell: BoxMask, pixels: Pixels, channels: number): Promise<CellMeasures> {
  const meanOf = async (channel: number): Promise<number | null> => {
    try {
      return meanIn(cell, await pixels.read(cell.box, channel));
    } catch {
      // The picture says itself that it did not load.
      return null;
    }
  };
  const means = await Promise.all(Array.from({ length: channels }, (_, channel) => meanOf(channel)));
  return { ...measure(cell), means };
}
