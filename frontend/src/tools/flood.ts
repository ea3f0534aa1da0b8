import { type Box, boxGrow, boxIntersect, boxWidth } from "../document/box";
import type { Point } from "../document/contour";
import type { Bitmap } from "../document/mask";
import { tightMask } from "../document/mask";
import { floodFrom, reachesRim } from "../document/raster/flood";
import { spreadOf } from "../document/raster/threshold";
import { drawInto, drawNew, selectedCell } from "./drawing";
import { readPixels } from "./reading";
import type { PointerInput, Tool, ToolContext } from "./tool";
import { createTraceTool, pixelAt } from "./trace";

const KEY = "flood";
/** What the tolerance is a share of leaves this much out at both ends: hot and dead pixels. */
const OUTLIERS = 0.005;

/** G: fills from the click outwards into the selected cell, or as a new one. It never goes further than the reach. */
export function createFlood(context: ToolContext): Tool {
  const boxAt = ({ x, y }: Point): Box => {
    const { width, height } = context.document;
    return boxIntersect(boxGrow([x, y, x + 1, y + 1], context.options.reach), [0, 0, width, height]);
  };
  const connectivity = () => (context.options.connectivity === "4" ? 4 : 8);

  /** What shows the same as the clicked pixel: a gap between cells, or a piece of a cell. */
  const alike = (place: Point): Bitmap => {
    const box = boxAt(place);
    const slots = context.document.labels.read(box, 1);
    const clicked = context.document.labels.at(place.x, place.y);
    return floodFrom(box, place.x, place.y, connectivity(), (index) => slots[index] === clicked);
  };
  const asBright = async (place: Point): Promise<Bitmap | null> => {
    const box = boxAt(place);
    const samples = await readPixels(context, box, KEY);
    if (!samples) return null;
    const clicked = samples[(place.y - box[1]) * boxWidth(box) + place.x - box[0]];
    const most = (context.options.tolerance / 100) * spreadOf(samples, OUTLIERS);
    return floodFrom(box, place.x, place.y, connectivity(), (index) => Math.abs(samples[index] - clicked) <= most);
  };

  const pour = (pixels: Bitmap): void => {
    const mask = tightMask(pixels);
    if (!mask) return;
    if (reachesRim(pixels, context.document)) {
      context.say("The flood runs out past its reach, so nothing was filled. Close the gap, lower the tolerance or raise the reach.");
      return;
    }
    const target = selectedCell(context);
    if (target) drawInto(context, target, pixels);
    else drawNew(context, [pixels]);
  };
  const click = async (at: PointerInput): Promise<void> => {
    const place = pixelAt(at);
    const { width, height } = context.document;
    if (place.x < 0 || place.y < 0 || place.x >= width || place.y >= height) return;
    const pixels = context.options.floodBy === "labels" ? alike(place) : await asBright(place);
    if (pixels) pour(pixels);
  };

  return createTraceTool(context, {
    key: KEY,
    cursor: "cell",
    shape: null,
    hints: () => [{ keys: "Click", does: selectedCell(context) ? "fill into the selected cell" : "fill as a new cell" }, { keys: "Drag", does: "pan" }],
    click: (at) => void click(at),
  });
}
