import { type Bitmap, bitmapUnion, emptyBitmap } from "../document/mask";
import { dab } from "../document/stroke";
import type { PointerInput, ToolContext } from "./tool";

/** The pixels of a brush drag as they grow; each dab costs its own box. */
export interface Stroke {
  extend(to: PointerInput): void;
  /** Everything painted; the preview is taken down. Null if it never met the image. */
  finish(): Bitmap | null;
  drop(): void;
}

const PREVIEW = "stroke";

/** `shows(slot)`: whether a pixel that now shows `slot` would change; it is previewed as `paintSlot`. */
export function createStroke(
  context: ToolContext,
  start: PointerInput,
  shows: (slot: number) => boolean,
  paintSlot: number,
): Stroke {
  const parts: Bitmap[] = [];
  let last = start;

  const show = (part: Bitmap): void => {
    const slots = context.document.labels.read(part.box, 1);
    const seen = emptyBitmap(part.box);
    part.bits.forEach((bit, index) => {
      if (bit && shows(slots[index])) seen.bits[index] = 1;
    });
    context.preview.add(PREVIEW, seen, paintSlot);
  };
  const extend = (to: PointerInput): void => {
    const part = dab(last, to, context.options.radius, context.document);
    last = to;
    if (part.bits.length === 0) return;
    parts.push(part);
    show(part);
  };
  extend(start);

  return {
    extend,
    finish() {
      context.preview.drop(PREVIEW);
      return bitmapUnion(parts);
    },
    drop: () => context.preview.drop(PREVIEW),
  };
}
