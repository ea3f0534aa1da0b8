import { cellsInLoop } from "../document/bulk";
import { mergeCells } from "../document/combining";
import type { Cell } from "../document/patch";
import { commitOr, selectedCell } from "./drawing";
import type { PointerInput, Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

/** The topmost cell under a click that is not selected. */
export const otherAt = (context: ToolContext, at: PointerInput): Cell | undefined =>
  context.document.at(Math.floor(at.x), Math.floor(at.y)).find((cell) => !context.selection.ids.has(cell.id));

/** Merges cells into the first of `ids` and selects what came out. */
export function merge(context: ToolContext, ids: readonly string[]): void {
  const patch = mergeCells(context.document, ids);
  const [kept] = patch.updated;
  if (commitOr(context, patch, `${ids.length} cells merged into cell ${kept?.before.label}`, "There is only one cell to merge.")) {
    context.selection.set([kept.before.id]);
  }
}

/** M: click cells one after the other and each joins the first; or drag a loop around all of them. */
export function createMerge(context: ToolContext): Tool {
  return createTraceTool(context, {
    key: "merge",
    cursor: "copy",
    shape: "loop",
    hints() {
      const first = selectedCell(context);
      return [{ keys: "Click", does: first ? `merge into cell ${first.label}` : "the cell to keep" }, { keys: "Drag", does: "around cells" }, { keys: "Esc", does: "start again" }];
    },
    click(at) {
      const clicked = otherAt(context, at);
      const first = selectedCell(context);
      if (first && clicked) merge(context, [first.id, clicked.id]);
      else if (clicked) context.selection.set([clicked.id]);
    },
    traced(path) {
      const inside = cellsInLoop(context.document, path).map((cell) => cell.id);
      const first = selectedCell(context)?.id ?? inside[0];
      if (inside.length === 0) context.say("No cell lies in that loop with more than half of its pixels.");
      else merge(context, [first, ...inside.filter((id) => id !== first)]);
    },
  });
}
