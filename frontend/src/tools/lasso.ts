import { drawShape } from "./drawing";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

/** L: what the hand draws a loop around becomes a cell. Alt cuts it out of the selected cell. */
export function createLasso(context: ToolContext): Tool {
  return createTraceTool(context, {
    key: "lasso",
    cursor: "crosshair",
    shape: "loop",
    subtracts: true,
    hints: () => [{ keys: "Drag", does: "around a cell" }, { keys: "Alt", does: "cut out" }, { keys: "Space", does: "pan" }],
    click: () => context.say("Drag a loop around one cell."),
    traced: (path, at) => drawShape(context, path, at.alt),
  });
}
