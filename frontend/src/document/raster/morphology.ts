import { boxGrow, boxHeight, boxIntersect, boxWidth } from "../box";
import { type Bitmap, bitmapCut } from "../mask";
import { inBox } from "./components";
import { forNeighbours } from "./flood";

interface Size {
  readonly width: number;
  readonly height: number;
}

/** One step of a 3x3 square, as a row pass and a column pass; `found` is what is looked for: 1 spreads set pixels, 0 unset ones. */
function spreadOnce(bits: Uint8Array, width: number, height: number, found: 0 | 1): Uint8Array {
  const rows = bits.slice();
  for (let y = 0, index = 0; y < height; y++) {
    for (let x = 0; x < width; x++, index++) {
      if ((x > 0 && bits[index - 1] === found) || (x + 1 < width && bits[index + 1] === found)) rows[index] = found;
    }
  }
  const out = rows.slice();
  for (let index = 0; index < bits.length; index++) {
    if (rows[index - width] === found || rows[index + width] === found) out[index] = found;
  }
  return out;
}

/** `bitmap` grown by `steps` pixels (3x3 square each), cut at the image's edge. */
export function dilate(bitmap: Bitmap, steps: number, image: Size): Bitmap {
  const grown = inBox(bitmap, boxIntersect(boxGrow(bitmap.box, steps), [0, 0, image.width, image.height]));
  let bits = grown.bits;
  for (let step = 0; step < steps; step++) bits = spreadOnce(bits, boxWidth(grown.box), boxHeight(grown.box), 1);
  return { box: grown.box, bits };
}

/**
 * `bitmap` shrunk by `steps` pixels (3x3 square each). Beyond the image's edge everything counts as set: a cell that
 * the edge cuts does not draw back from it.
 */
export function erode(bitmap: Bitmap, steps: number, image: Size): Bitmap {
  const around = inBox(bitmap, boxIntersect(boxGrow(bitmap.box, 1), [0, 0, image.width, image.height]));
  let bits = around.bits;
  for (let step = 0; step < steps; step++) bits = spreadOnce(bits, boxWidth(around.box), boxHeight(around.box), 0);
  return bitmapCut({ box: around.box, bits }, bitmap.box);
}

/** `bitmap` with its holes filled: the unset pixels that no way along pixel edges leads out from. */
export function fillHoles(bitmap: Bitmap): Bitmap {
  const around = inBox(bitmap, boxGrow(bitmap.box, 1));
  const [width, height] = [boxWidth(around.box), boxHeight(around.box)];
  const outside = new Uint8Array(around.bits.length);
  outside[0] = 1;
  const open = [0];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    forNeighbours(index, width, height, 4, (neighbour) => {
      if (outside[neighbour] || around.bits[neighbour]) return;
      outside[neighbour] = 1;
      open.push(neighbour);
    });
  }
  return bitmapCut({ box: around.box, bits: outside.map((bit) => 1 - bit) }, bitmap.box);
}
