import { createBrush } from "./brush";
import { createClassBrush } from "./classBrush";
import { createCut } from "./cut";
import { createErase } from "./erase";
import { createFlood } from "./flood";
import { createLasso } from "./lasso";
import { createMerge } from "./merge";
import type { OptionId } from "./options";
import { createReplace, createSwap } from "./pairing";
import { createPan } from "./pan";
import { createPaste } from "./paste";
import { createPolygon } from "./polygon";
import { createDeleteRegion } from "./region";
import { createSelect } from "./select";
import { createSmartBox } from "./smartBox";
import { createSplit } from "./split";
import { createThreshold } from "./threshold";
import type { Tool, ToolContext } from "./tool";
import { createTrim } from "./trim";

/** What the rail, the keys, the options card and the status bar need to know of a tool. */
export interface ToolEntry {
  readonly id: string;
  readonly name: string;
  /** The key of a new user, as the key map writes it. */
  readonly key: string;
  /** A Tabler icon. */
  readonly icon: string;
  /** Tools of one group stand together. */
  readonly group: "point" | "draw" | "repair" | "cells" | "move";
  readonly options: readonly OptionId[];
  /** Whether it changes cells, which an image that is only looked at does not allow. */
  readonly changes: boolean;
  /** One sentence on how it is used. */
  readonly says: string;
}

/** A new tool is one file and one line here; the rail, the keys and the options card follow from it. */
export const TOOLS = [
  { id: "select", name: "Select", key: "v", icon: "IconPointer", group: "point", options: [], changes: false, says: "Click a cell to select it. Drag to pan." },
  { id: "smart-box", name: "Smart box", key: "s", icon: "IconCapture", group: "point", options: ["overlap"], changes: true, says: "Drag a box around one cell. The next box or Enter keeps it, Esc drops it." },
  { id: "brush", name: "Brush", key: "b", icon: "IconBrush", group: "draw", options: ["radius", "paintsInto", "overlap"], changes: true, says: "Paint into the selected cell, or draw a new one." },
  { id: "erase", name: "Erase", key: "e", icon: "IconEraser", group: "draw", options: ["radius"], changes: true, says: "Take pixels away. With a cell selected, only from that cell." },
  { id: "polygon", name: "Polygon", key: "p", icon: "IconPolygon", group: "draw", options: ["drawsInto", "overlap"], changes: true, says: "Click corner by corner. The first corner, a double click or Enter closes." },
  { id: "lasso", name: "Lasso", key: "l", icon: "IconLasso", group: "draw", options: ["drawsInto", "overlap"], changes: true, says: "Drag a loop around one cell." },
  { id: "flood", name: "Flood", key: "g", icon: "IconBucketDroplet", group: "draw", options: ["floodBy", "tolerance", "connectivity", "reach", "overlap"], changes: true, says: "Click to fill a gap between cells, or what is about as bright." },
  { id: "threshold", name: "Threshold", key: "t", icon: "IconChartAreaLine", group: "draw", options: ["side", "pieces", "minArea", "drawsInto", "overlap"], changes: true, says: "Drag a box; what stands out in it becomes cells." },
  { id: "trim", name: "Trim", key: "k", icon: "IconScissors", group: "repair", options: [], changes: true, says: "Click the piece of a cell to keep; its other pieces go." },
  { id: "split", name: "Split", key: "w", icon: "IconArrowsSplit2", group: "repair", options: ["splitBy"], changes: true, says: "Click once in each half of a cell." },
  { id: "cut", name: "Cut", key: "shift+w", icon: "IconSlice", group: "repair", options: [], changes: true, says: "Drag a line right across a cell." },
  { id: "merge", name: "Merge", key: "m", icon: "IconArrowsJoin2", group: "repair", options: [], changes: true, says: "Click the cell to keep, then those that join it. Or drag around all of them." },
  { id: "replace", name: "Replace", key: "r", icon: "IconReplace", group: "cells", options: [], changes: true, says: "Click the cell whose number stays, then the shape that it takes." },
  { id: "swap-ids", name: "Swap numbers", key: "shift+s", icon: "IconSwitchHorizontal", group: "cells", options: [], changes: true, says: "Click two cells to exchange their numbers." },
  { id: "paste", name: "Paste", key: "mod+v", icon: "IconClipboard", group: "cells", options: ["overlap"], changes: true, says: "Click where the copied cells go." },
  { id: "delete-region", name: "Delete in region", key: "shift+delete", icon: "IconLassoPolygon", group: "cells", options: [], changes: true, says: "Drag a loop around the cells to delete." },
  { id: "class", name: "Class brush", key: "shift+b", icon: "IconTag", group: "cells", options: [], changes: true, says: "Click cells, or stroke over them, to give them the chosen class." },
  { id: "pan", name: "Pan", key: "shift+h", icon: "IconHandStop", group: "move", options: [], changes: false, says: "Drag to move the image. Holding Space pans in every tool." },
] as const satisfies readonly ToolEntry[];

export { OPERATIONS, type Operation, type OperationId, isOperationId, runOperation } from "./operations";

export type ToolId = (typeof TOOLS)[number]["id"];

export const isToolId = (id: string): id is ToolId => TOOLS.some((tool) => tool.id === id);

export function createTools(context: ToolContext): Record<ToolId, Tool> {
  return {
    select: createSelect(context),
    "smart-box": createSmartBox(context),
    brush: createBrush(context),
    erase: createErase(context),
    polygon: createPolygon(context),
    lasso: createLasso(context),
    flood: createFlood(context),
    threshold: createThreshold(context),
    trim: createTrim(context),
    split: createSplit(context),
    cut: createCut(context),
    merge: createMerge(context),
    replace: createReplace(context),
    "swap-ids": createSwap(context),
    paste: createPaste(context),
    "delete-region": createDeleteRegion(context),
    class: createClassBrush(context),
    pan: createPan(context),
  };
}
