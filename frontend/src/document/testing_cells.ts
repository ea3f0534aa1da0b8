/** Cells and documents for the tests of every layer, made by hand or by fast-check. */
import fc from "fast-check";

import type { Box } from "./box";
import type { Point } from "./contour";
import { type Bitmap, emptyBitmap, tightMask } from "./mask";
import type { Cell } from "./patch";
import { inBox } from "./raster/components";
import { type CellStore, createStore } from "./store";

export function square(id: string, label: number, box: Box, more: Partial<Cell> = {}): Cell {
  const pixels = (box[2] - box[0]) * (box[3] - box[1]);
  return { id, label, box, rle: [0, pixels], score: 0.9, source: "model", model_version: "v1", class_id: null, ...more };
}

/** The corners of a box, as a loop around it. */
export const around = ([x0, y0, x1, y1]: Box): Point[] => [{ x: x0, y: y0 }, { x: x1, y: y0 }, { x: x1, y: y1 }, { x: x0, y: y1 }];

export function filled(box: Box): Bitmap {
  const bitmap = emptyBitmap(box);
  bitmap.bits.fill(1);
  return bitmap;
}

/** Pixels drawn as text, "#" set, the first one at (x, y). */
export function drawing(rows: readonly string[], x = 0, y = 0): Bitmap {
  return { box: [x, y, x + (rows[0]?.length ?? 0), y + rows.length], bits: Uint8Array.from([...rows.join("")], (mark) => Number(mark === "#")) };
}

/** A bitmap as text, in its own box or in another. */
export function rowsOf(bitmap: Bitmap, box: Box = bitmap.box): string[] {
  const { bits } = inBox(bitmap, box);
  const width = box[2] - box[0];
  return Array.from({ length: box[3] - box[1] }, (_, y) => [...bits.subarray(y * width, (y + 1) * width)].map((bit) => (bit ? "#" : ".")).join(""));
}

/** A cell of pixels drawn as text. */
export function shaped(id: string, label: number, rows: readonly string[], x = 0, y = 0, more: Partial<Cell> = {}): Cell {
  const mask = tightMask(drawing(rows, x, y));
  if (!mask) throw new Error("a cell has pixels");
  return { ...square(id, label, mask.box), rle: mask.rle, ...more };
}

export function storeOf(width: number, height: number, cells: readonly Cell[]): CellStore {
  const store = createStore(width, height);
  store.apply({ added: cells, updated: [], removed: [] }, "server");
  return store;
}

/** Everything that a reader can see of a document, as plain data. */
export function contents(store: CellStore): { cells: Cell[]; labels: (number | undefined)[] } {
  const cells = [...store.cells()].sort((a, b) => a.id.localeCompare(b.id));
  const slots = store.labels.read([0, 0, store.width, store.height], 1);
  return { cells, labels: [...slots].map((slot) => store.bySlot(slot)?.label) };
}

/** A bitmap with at least one pixel somewhere on a `width` x `height` image. */
export function bitmaps(width: number, height: number): fc.Arbitrary<Bitmap> {
  return fc
    .tuple(fc.nat(width - 1), fc.nat(height - 1), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
    .chain(([x, y, w, h]) => {
      const box: Box = [x, y, Math.min(width, x + w), Math.min(height, y + h)];
      const pixels = (box[2] - box[0]) * (box[3] - box[1]);
      return fc
        .array(fc.boolean(), { minLength: pixels, maxLength: pixels })
        .map((bits) => ({ box, bits: Uint8Array.from(bits, Number) }))
        .filter((bitmap) => tightMask(bitmap) !== null);
    });
}
