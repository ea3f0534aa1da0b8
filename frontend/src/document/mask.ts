import { type Box, boxHeight, boxIntersect, boxIsEmpty, boxUnion, boxWidth } from "./box";
import { decode, encode } from "./rle";

/** A cell's pixels as they are stored: runs inside a tight box. */
export interface BoxMask {
  readonly box: Box;
  readonly rle: readonly number[];
}

/** The same pixels opened up for drawing: one byte (0 or 1) a pixel, row-major inside the box (not always tight). */
export interface Bitmap {
  readonly box: Box;
  readonly bits: Uint8Array;
}

export function bitmapOf(mask: BoxMask): Bitmap {
  return { box: mask.box, bits: decode(mask.rle, boxHeight(mask.box), boxWidth(mask.box)) };
}

export function emptyBitmap(box: Box): Bitmap {
  return { box, bits: new Uint8Array(Math.max(0, boxWidth(box)) * Math.max(0, boxHeight(box))) };
}

/** Calls `visit(indexInA, indexInB)` for each pixel that both boxes hold. */
function forShared(a: Box, b: Box, visit: (inA: number, inB: number) => void): void {
  const shared = boxIntersect(a, b);
  const [widthA, widthB] = [boxWidth(a), boxWidth(b)];
  for (let y = shared[1]; y < shared[3]; y++) {
    let inA = (y - a[1]) * widthA + shared[0] - a[0];
    let inB = (y - b[1]) * widthB + shared[0] - b[0];
    for (let x = shared[0]; x < shared[2]; x++) visit(inA++, inB++);
  }
}

/** The pixels of any of `parts`, in the smallest box around them. Null without parts. */
export function bitmapUnion(parts: readonly Bitmap[]): Bitmap | null {
  const [first, ...rest] = parts;
  if (!first) return null;
  const whole = emptyBitmap(rest.reduce<Box>((box, part) => boxUnion(box, part.box), first.box));
  for (const part of parts) {
    forShared(whole.box, part.box, (inWhole, inPart) => {
      if (part.bits[inPart]) whole.bits[inWhole] = 1;
    });
  }
  return whole;
}

/** `from` without the pixels of `taken`; a new bitmap in the same box. */
export function bitmapMinus(from: Bitmap, taken: Bitmap): Bitmap {
  const bits = from.bits.slice();
  forShared(from.box, taken.box, (inFrom, inTaken) => {
    if (taken.bits[inTaken]) bits[inFrom] = 0;
  });
  return { box: from.box, bits };
}

export function bitmapCut(bitmap: Bitmap, box: Box): Bitmap {
  const part = emptyBitmap(boxIntersect(bitmap.box, box));
  forShared(part.box, bitmap.box, (inPart, inWhole) => {
    part.bits[inPart] = bitmap.bits[inWhole] ?? 0;
  });
  return part;
}

/** Number of pixels that both set. */
export function sharedPixels(a: Bitmap, b: Bitmap): number {
  let shared = 0;
  forShared(a.box, b.box, (inA, inB) => {
    if (a.bits[inA] && b.bits[inB]) shared += 1;
  });
  return shared;
}

export const bitmapsOverlap = (a: Bitmap, b: Bitmap): boolean => sharedPixels(a, b) > 0;

/** The bitmap as stored runs in its tight box; null if no pixel is set. */
export function tightMask(bitmap: Bitmap): BoxMask | null {
  const width = boxWidth(bitmap.box);
  let [left, top, right, bottom] = [width, -1, 0, 0];
  bitmap.bits.forEach((bit, index) => {
    if (!bit) return;
    const x = index % width;
    const y = (index - x) / width;
    if (top < 0) top = y;
    bottom = y + 1;
    if (x < left) left = x;
    if (x >= right) right = x + 1;
  });
  if (top < 0) return null;
  const [x0, y0] = bitmap.box;
  const tight = bitmapCut(bitmap, [x0 + left, y0 + top, x0 + right, y0 + bottom]);
  return { box: tight.box, rle: encode(tight.bits) };
}

export function maskHolds(mask: BoxMask, x: number, y: number): boolean {
  const [x0, y0, x1, y1] = mask.box;
  if (x < x0 || x >= x1 || y < y0 || y >= y1) return false;
  const index = (y - y0) * (x1 - x0) + x - x0;
  let end = 0;
  for (let i = 0; i < mask.rle.length; i++) {
    end += mask.rle[i] ?? 0;
    if (index < end) return i % 2 === 1;
  }
  return false;
}

/**
 * Writes `value` into `out` wherever the mask is set. `out` shows `window` (image pixels) at one texel per `step` pixels,
 * sampling the top left pixel of each; labels are never blended.
 */
export function paintMask(mask: BoxMask, value: number, out: Uint32Array, window: Box, step: number): void {
  if (boxIsEmpty(boxIntersect(mask.box, window))) return;
  const outWidth = Math.ceil(boxWidth(window) / step);
  const width = boxWidth(mask.box);
  let at = 0;
  for (let i = 0; i < mask.rle.length; i++) {
    const end = at + (mask.rle[i] ?? 0);
    if (i % 2 === 1) {
      for (let from = at; from < end; ) {
        const row = Math.floor(from / width);
        const rowEnd = Math.min(end, (row + 1) * width);
        const y = mask.box[1] + row - window[1];
        if (y >= boxHeight(window)) return;
        if (y >= 0 && y % step === 0) {
          const x = mask.box[0] + from - row * width - window[0];
          const first = Math.max(0, Math.ceil(x / step));
          const last = Math.min(outWidth, Math.ceil((x + rowEnd - from) / step));
          if (first < last) out.fill(value, (y / step) * outWidth + first, (y / step) * outWidth + last);
        }
        from = rowEnd;
      }
    }
    at = end;
  }
}
