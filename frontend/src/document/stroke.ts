import { type Bitmap, bitmapCut, emptyBitmap } from "./mask";

/**
 * The pixels that a round brush of `radius` (image pixels) covers on its way from (x0, y0) to (x1, y1): those whose centre
 * is at most `radius` from the way. The pixel under the pointer is always covered. Cut at the image's edge.
 */
export function dab(
  from: { readonly x: number; readonly y: number },
  to: { readonly x: number; readonly y: number },
  radius: number,
  image: { readonly width: number; readonly height: number },
): Bitmap {
  const reach = Math.max(radius, 0.5);
  const bitmap = emptyBitmap([
    Math.floor(Math.min(from.x, to.x) - reach),
    Math.floor(Math.min(from.y, to.y) - reach),
    Math.ceil(Math.max(from.x, to.x) + reach) + 1,
    Math.ceil(Math.max(from.y, to.y) + reach) + 1,
  ]);
  const [left, top, right, bottom] = bitmap.box;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length2 = dx * dx + dy * dy;
  let index = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++, index++) {
      const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
      const along = length2 > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length2)) : 0;
      const under = x === Math.floor(to.x) && y === Math.floor(to.y);
      if (under || Math.hypot(px - along * dx, py - along * dy) <= reach) bitmap.bits[index] = 1;
    }
  }
  return bitmapCut(bitmap, [0, 0, image.width, image.height]);
}
