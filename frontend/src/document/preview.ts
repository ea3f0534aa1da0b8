import { type Box, boxHeight, boxIntersect, boxWidth, boxesTouch } from "./box";
import type { Bitmap } from "./mask";

/**
 * Pixels shown as if they were changed while a gesture is under way. The document does not know of them;
 * the renderer lays them over the label map, slot by slot, and a dropped preview leaves no trace.
 */
export interface PreviewLayer {
  /** Shows the pixels of `bitmap` as `slot`; later parts lie over earlier ones. */
  add(key: string, bitmap: Bitmap, slot: number): void;
  drop(key: string): void;
  /** Writes the shown pixels of `window` into `out`, one texel per `step` pixels. */
  layOver(out: Uint32Array, window: Box, step: number): void;
  listen(listener: (dirty: Box) => void): () => void;
}

interface Part {
  readonly key: string;
  readonly bitmap: Bitmap;
  readonly slot: number;
}

export function createPreviewLayer(): PreviewLayer {
  let parts: Part[] = [];
  const listeners = new Set<(dirty: Box) => void>();
  const changed = (box: Box): void => {
    for (const listener of [...listeners]) listener(box);
  };

  return {
    add(key, bitmap, slot) {
      parts.push({ key, bitmap, slot });
      changed(bitmap.box);
    },
    drop(key) {
      const gone = parts.filter((part) => part.key === key);
      parts = parts.filter((part) => part.key !== key);
      for (const part of gone) changed(part.bitmap.box);
    },
    layOver(out, window, step) {
      const outWidth = Math.ceil(boxWidth(window) / step);
      for (const { bitmap, slot } of parts) {
        if (!boxesTouch(bitmap.box, window)) continue;
        const [x0, y0, x1, y1] = boxIntersect(bitmap.box, window);
        const rows = Math.min(y1, window[1] + boxHeight(window));
        const firstY = Math.ceil((y0 - window[1]) / step) * step + window[1];
        const firstX = Math.ceil((x0 - window[0]) / step) * step + window[0];
        for (let y = firstY; y < rows; y += step) {
          const from = (y - bitmap.box[1]) * boxWidth(bitmap.box) - bitmap.box[0];
          const to = ((y - window[1]) / step) * outWidth;
          for (let x = firstX; x < x1; x += step) {
            if (bitmap.bits[from + x]) out[to + (x - window[0]) / step] = slot;
          }
        }
      }
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
