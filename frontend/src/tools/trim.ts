import { trimCell } from "../document/reshaping";
import { cellAt, commitOr } from "./drawing";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool, pixelAt } from "./trace";

/** K: a click on a cell keeps the piece under it and drops the others. */
export function createTrim(context: ToolContext): Tool {
  return createTraceTool(context, {
    key: "trim",
    cursor: "pointer",
    shape: null,
    hints: () => [{ keys: "Click", does: "keep this piece of the cell" }, { keys: "Drag", does: "pan" }],
    click(at) {
      const cell = cellAt(context, at);
      if (!cell) return;
      const { x, y } = pixelAt(at);
      commitOr(context, trimCell(context.document, cell, x, y), `Cell ${cell.label} trimmed`, `Cell ${cell.label} is in one piece already.`);
    },
  });
}
