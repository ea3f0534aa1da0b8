import { cellsOnLine } from "../document/bulk";
import { classifyCells } from "../document/commands";
import type { Cell } from "../document/patch";
import { cellAt, commitOr } from "./drawing";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

/** Shift+B: gives the chosen class to each cell that is clicked or stroked over. */
export function createClassBrush(context: ToolContext): Tool {
  const classify = (cells: readonly Cell[]): void => {
    const patch = classifyCells(context.document, cells.map((cell) => cell.id), context.classId);
    const name = cells.length === 1 ? `Cell ${cells[0].label}` : `${cells.length} cells`;
    if (context.classId === null) commitOr(context, patch, `Class of ${name.toLowerCase()} taken away`, "There is no class to take away. Choose one to give: 1-9, or in the list of classes.");
    else commitOr(context, patch, `Class given to ${name.toLowerCase()}`, "That class is there already.");
  };

  return createTraceTool(context, {
    key: "class-brush",
    cursor: "pointer",
    shape: "line",
    hints: () => [{ keys: "Click", does: context.classId === null ? "take the class away" : "give the class" }, { keys: "Drag", does: "over many cells" }, { keys: "1-9", does: "choose a class" }],
    click(at) {
      const cell = cellAt(context, at);
      if (cell) classify([cell]);
    },
    traced(path) {
      const met = cellsOnLine(context.document, path);
      if (met.length > 0) classify(met);
    },
  });
}
