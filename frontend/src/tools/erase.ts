import { eraseCells } from "../document/commands";
import { BACKGROUND_SLOT } from "../document/labelMap";
import { type Patch } from "../document/patch";
import { type Stroke, createStroke } from "./stroke";
import type { Tool, ToolContext } from "./tool";

function wordsFor(patch: Patch): string {
  const cells = [...patch.updated.map((update) => update.before), ...patch.removed];
  if (cells.length > 1) return `${cells.length} cells erased in part`;
  return patch.removed.length === 1 ? `Cell ${cells[0].label} erased` : `Part of cell ${cells[0]?.label} erased`;
}

/** E: takes pixels away from the selected cells or, with nothing selected, from every cell under the eraser. */
export function createErase(context: ToolContext): Tool {
  let erasing: { readonly stroke: Stroke; readonly ids: ReadonlySet<string> | null } | null = null;

  return {
    cursor: "none",
    get dragging() {
      return erasing !== null;
    },
    get hints() {
      if (erasing) return [{ keys: "Let go", does: "keep" }, { keys: "Esc", does: "cancel" }];
      return [{ keys: "Drag", does: "erase" }, { keys: "[ ]", does: "size" }, { keys: "X", does: "brush" }, { keys: "Space", does: "pan" }];
    },
    down(at) {
      const ids = context.selection.ids.size > 0 ? new Set(context.selection.ids) : null;
      const slots = ids && new Set([...ids].map((id) => context.document.slotOf(id)));
      const shows = (slot: number): boolean => slot !== BACKGROUND_SLOT && (slots === null || slots.has(slot));
      erasing = { stroke: createStroke(context, at, shows, BACKGROUND_SLOT), ids };
    },
    move(at) {
      erasing?.stroke.extend(at);
    },
    up(at) {
      if (!erasing) return;
      const { stroke, ids } = erasing;
      erasing = null;
      stroke.extend(at);
      const pixels = stroke.finish();
      const patch = pixels && eraseCells(context.document, ids, pixels);
      if (patch) context.commit(patch, wordsFor(patch));
    },
    cancel() {
      const busy = erasing !== null;
      erasing?.stroke.drop();
      erasing = null;
      return busy;
    },
  };
}
