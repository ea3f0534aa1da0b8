import { BACKGROUND_SLOT, PREVIEW_SLOT } from "../document/labelMap";
import type { Bitmap } from "../document/mask";
import type { Cell } from "../document/patch";
import { drawInto, drawNew, eraseFrom, selectedCell } from "./drawing";
import { type Stroke, createStroke } from "./stroke";
import type { PointerInput, Tool, ToolContext } from "./tool";

interface Painting {
  readonly stroke: Stroke;
  /** The cell that grows or shrinks; null paints a new one. */
  readonly target: Cell | null;
  readonly subtracts: boolean;
}

/** B: paints into the selected cell, else into the cell where the stroke begins, else a new one. Alt takes away. */
export function createBrush(context: ToolContext): Tool {
  let painting: Painting | null = null;

  const targetAt = (at: PointerInput): Cell | null => {
    if (context.options.paintsInto === "new" && !at.alt) return null;
    return selectedCell(context) ?? context.document.at(Math.floor(at.x), Math.floor(at.y))[0] ?? null;
  };
  const commit = ({ target, subtracts }: Painting, pixels: Bitmap): void => {
    if (target) (subtracts ? eraseFrom : drawInto)(context, target, pixels);
    else if (!subtracts) drawNew(context, [pixels]);
  };

  return {
    cursor: "none",
    subtracts: true,
    get dragging() {
      return painting !== null;
    },
    get hints() {
      if (painting) return [{ keys: "Let go", does: "keep" }, { keys: "Esc", does: "cancel" }];
      return [{ keys: "Drag", does: "paint" }, { keys: "Alt", does: "take away" }, { keys: "[ ]", does: "size" }, { keys: "Space", does: "pan" }];
    },
    down(at) {
      const target = targetAt(at);
      const slot = target ? context.document.slotOf(target.id) : PREVIEW_SLOT;
      const covers = context.options.overlap !== "exclude";
      const stroke = at.alt
        ? createStroke(context, at, (seen) => target !== null && seen === slot, BACKGROUND_SLOT)
        : createStroke(context, at, (seen) => covers || seen === BACKGROUND_SLOT, slot);
      painting = { stroke, target, subtracts: at.alt };
    },
    move(at) {
      painting?.stroke.extend(at);
    },
    up(at) {
      if (!painting) return;
      const done = painting;
      painting = null;
      done.stroke.extend(at);
      const pixels = done.stroke.finish();
      if (pixels) commit(done, pixels);
    },
    cancel() {
      const busy = painting !== null;
      painting?.stroke.drop();
      painting = null;
      return busy;
    },
  };
}
