import { type Box, boxIsEmpty } from "../document/box";
import { type Bitmap, bitmapUnion } from "../document/mask";
import { bitmapArea, pieces } from "../document/raster/components";
import { boxAround } from "../document/raster/polygon";
import { hysteresis, rangeOf, triangleThreshold } from "../document/raster/threshold";
import { drawInto, drawNew, selectedCell } from "./drawing";
import { readPixels } from "./reading";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

const KEY = "threshold";
/** How much further above the threshold than it is above the darkest sample a piece's brightest pixel must lie. */
const RISE = 0.1;

/** What is bright (or dark) in a box, by the triangle threshold with hysteresis. */
export function brightPieces(box: Box, samples: Float32Array, side: "bright" | "dark"): Bitmap[] {
  const values = side === "bright" ? samples : samples.map((value) => -value);
  const low = triangleThreshold(values);
  const high = low + RISE * (low - rangeOf(values).low);
  const strong = values.some((value) => value > high) ? high : low;
  return pieces(hysteresis(box, values, low, strong), 8);
}

/** T: drag a box; what stands out in it becomes cells. */
export function createThreshold(context: ToolContext): Tool {
  const chosen = (all: readonly Bitmap[]): Bitmap[] => {
    const { minArea, pieces: keeps } = context.options;
    const large = all.filter((piece) => bitmapArea(piece) >= minArea);
    if (keeps === "each") return large;
    if (keeps === "largest") return large.slice(0, 1);
    const together = bitmapUnion(large);
    return together ? [together] : [];
  };
  const find = async (box: Box): Promise<void> => {
    const samples = await readPixels(context, box, KEY);
    if (!samples) return;
    const found = chosen(brightPieces(box, samples, context.options.side));
    const target = context.options.drawsInto === "selected" ? selectedCell(context) : null;
    if (found.length === 0) context.say("Nothing in that box stands out enough. Draw it with some background around the cell.");
    else if (target) drawInto(context, target, bitmapUnion(found) ?? found[0]);
    else drawNew(context, found);
  };

  return createTraceTool(context, {
    key: KEY,
    cursor: "crosshair",
    shape: "box",
    hints: () => [{ keys: "Drag", does: "box what stands out" }, { keys: "Space", does: "pan" }],
    click: () => context.say("Drag a box around a cell and some background."),
    traced(path) {
      const box = boxAround([path[0], path[path.length - 1]], context.document);
      if (!boxIsEmpty(box)) void find(box);
    },
  });
}
