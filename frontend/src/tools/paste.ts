import { boxUnion } from "../document/box";
import { placeCopies } from "../document/copying";
import { PREVIEW_SLOT } from "../document/labelMap";
import { bitmapOf } from "../document/mask";
import { commitOr } from "./drawing";
import type { PointerInput, Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

const KEY = "paste";
/** More copies than this follow the pointer unseen: showing them would make it stutter. */
const MOST_SHOWN = 50;

/** Mod+V: what was copied follows the pointer; a click puts it down. */
export function createPaste(context: ToolContext): Tool {
  let shownAt: string | null = null;

  /** The way from the originals to the pointer, in whole pixels: the middle of all of them comes under it. */
  const wayTo = (at: PointerInput): { dx: number; dy: number } | null => {
    const [first, ...others] = context.clipboard.cells;
    if (!first) return null;
    const box = others.reduce((whole, cell) => boxUnion(whole, cell.box), first.box);
    return { dx: Math.round(at.x - (box[0] + box[2]) / 2), dy: Math.round(at.y - (box[1] + box[3]) / 2) };
  };
  const drop = (): boolean => {
    const busy = shownAt !== null;
    shownAt = null;
    context.preview.drop(KEY);
    return busy;
  };
  const show = (at: PointerInput): void => {
    const way = wayTo(at);
    const place = way && `${way.dx},${way.dy}`;
    if (!way || place === shownAt) return;
    drop();
    shownAt = place;
    for (const cell of context.clipboard.cells.slice(0, MOST_SHOWN)) {
      const { box, bits } = bitmapOf(cell);
      context.preview.add(KEY, { box: [box[0] + way.dx, box[1] + way.dy, box[2] + way.dx, box[3] + way.dy], bits }, PREVIEW_SLOT);
    }
  };

  const trace = createTraceTool(context, {
    key: KEY,
    cursor: "copy",
    shape: null,
    hints: () => [context.clipboard.cells.length > 0 ? { keys: "Click", does: "put the copy down" } : { keys: "Ctrl C", does: "copy the selected cells first" }],
    hover: show,
    click(at) {
      const way = wayTo(at);
      drop();
      if (!way) {
        context.say("Nothing was copied yet. Select cells and copy them first.");
        return;
      }
      const placing = { ...way, policy: context.options.overlap, newId: context.newId, keepsLabel: () => false };
      const patch = placeCopies(context.document, context.clipboard.cells, placing);
      const words = patch.added.length === 1 ? `Cell ${patch.added[0].label} pasted` : `${patch.added.length} cells pasted`;
      if (commitOr(context, patch, words, "No free pixel there for the copy.")) context.selection.set(patch.added.map((cell) => cell.id));
    },
    cancel: drop,
  });
  return Object.assign(trace, { leave: () => void trace.cancel() });
}
