import { classifyCells } from "../document/commands";
import { bitmapOf, bitmapsOverlap } from "../document/mask";
import type { Cell } from "../document/patch";
import { drawLine } from "../document/raster/polygon";
import { cellAt, commitOr } from "./drawing";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

/** Shift+B: gives the chosen class to each cell that is clicked or stroked over. */
export function createClassBrush(context: ToolContext): Tool {
  const classify = (cells: readonly Cell[]): void => {
    const patch = classifyCells(context.document, cells.map((cell) => cell.id), context.classId);
    const name = cells.length === 1 ? `Cell ${cells[0].label}` : `${cells.length} cells`;
    commitOr(context, patch, context.classId === null ? `Class of ${name.toLowerCase()} taken away` : `Class given to ${name.toLowerCase()}`, "They have that class already.");
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
      const line = drawLine(path, context.document);
      const met = context.document.near(line.box).filter((cell) => bitmapsOverlap(bitmapOf(cell), line));
      if (met.length > 0) classify(met);
    },
  });
}
