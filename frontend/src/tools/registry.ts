import { createBrush } from "./brush";
import { createErase } from "./erase";
import { createPan } from "./pan";
import { createSelect } from "./select";
import { createSmartBox } from "./smartBox";
import type { Tool, ToolContext } from "./tool";

/** A new tool is one file and one line here; the rail, the keys and the options card follow from it. */
export const TOOLS = [
  { id: "select", name: "Select", key: "v", says: "Click a cell to select it. Drag to pan." },
  { id: "smart-box", name: "Smart box", key: "s", says: "Drag a box around one cell. Let go to keep it." },
  { id: "brush", name: "Brush", key: "b", says: "Paint into the selected cell, or draw a new one." },
  { id: "erase", name: "Erase", key: "e", says: "Take pixels away. With a cell selected, only from that cell." },
  { id: "pan", name: "Pan", key: "h", says: "Drag to move the image. Holding Space pans in every tool." },
] as const satisfies readonly { id: string; name: string; key: string; says: string }[];

export type ToolId = (typeof TOOLS)[number]["id"];

export const isToolId = (id: string): id is ToolId => TOOLS.some((tool) => tool.id === id);

export function createTools(context: ToolContext): Record<ToolId, Tool> {
  return {
    select: createSelect(context),
    "smart-box": createSmartBox(context),
    brush: createBrush(context),
    erase: createErase(context),
    pan: createPan(context),
  };
}
