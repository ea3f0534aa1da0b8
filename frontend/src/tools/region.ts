import { deleteInLoop } from "../document/bulk";
import { commitOr } from "./drawing";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

/** Shift+Del: a loop around cells deletes those that lie in it with more than half of their pixels. */
export function createDeleteRegion(context: ToolContext): Tool {
  return createTraceTool(context, {
    key: "delete-region",
    cursor: "crosshair",
    shape: "loop",
    hints: () => [{ keys: "Drag", does: "around the cells to delete" }, { keys: "Space", does: "pan" }],
    click: () => context.say("Drag a loop around the cells to delete."),
    traced(path) {
      const patch = deleteInLoop(context.document, path);
      const words = patch.removed.length === 1 ? `Cell ${patch.removed[0].label} deleted` : `${patch.removed.length} cells deleted`;
      if (commitOr(context, patch, words, "No cell lies in that loop with more than half of its pixels.")) context.say(words);
    },
  });
}
