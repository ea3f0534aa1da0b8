import { cellsOnLine } from "../document/bulk";
import { forEachCell } from "../document/draft";
import { splitByLine } from "../document/splitting";
import { commitSplit } from "./split";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

/** Shift+W: a line drawn right across a cell cuts it. With cells selected only those are cut. */
export function createCut(context: ToolContext): Tool {
  return createTraceTool(context, {
    key: "cut",
    cursor: "crosshair",
    shape: "line",
    hints: () => [{ keys: "Drag", does: "a line across the cell" }, { keys: "Space", does: "pan" }],
    click: () => context.say("Drag a line right across the cell."),
    traced(path) {
      const { document, selection } = context;
      const met = cellsOnLine(document, path).map((cell) => cell.id);
      const chosen = met.filter((id) => selection.ids.has(id));
      const patch = forEachCell(document, chosen.length > 0 ? chosen : met, (draft, cell) => splitByLine(draft, cell, path, context.newId));
      commitSplit(context, patch, "No cell was cut: the line has to go right through it, from side to side.");
    },
  });
}
