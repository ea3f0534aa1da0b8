import type { ImageDetail, LabelSet } from "../api/types";
import { createCellColors } from "../document/colors";
import type { Cell } from "../document/patch";
import { createPreviewLayer } from "../document/preview";
import { createStore } from "../document/store";
import { readBox } from "../document/wire";
import type { Size } from "../render/camera";
import type { Rgb } from "../render/cellTones";
import { createPan } from "../tools/pan";
import { listenForGestures } from "./gestures";
import { type Looks, createLooks } from "./looks";
import { fetchTile } from "./requests";
import { type Readable, createValue } from "./value";
import { type View, createView } from "./view";

/** One colour a side: far apart for every eye, and neither is the amber of "look here". */
export const SIDE_TONES: readonly [Rgb, Rgb] = [
  [0xff, 0xf5, 0x3b],
  [0x3f, 0xe0, 0xb5],
];

export const CELL_LOOKS = ["outlines", "fill", "none"] as const;
export type CellLook = (typeof CELL_LOOKS)[number];
const FILL: Readonly<Record<CellLook, number>> = { outlines: 0, fill: 0.34, none: 0 };

/** The cells of two versions on one image, in two pictures of one size that look at the same place. */
export interface Comparison {
  /** Why nothing can be drawn in this browser, or null. */
  readonly failure: Readable<string | null>;
  /** Draws side 0 or 1 into these canvases until the returned function is called. */
  attach(side: 0 | 1, canvas: HTMLCanvasElement, overlay: HTMLCanvasElement): () => void;
  /** Dragging on `area` pans and the wheel zooms both sides, until the returned function is called. */
  listen(area: HTMLElement): () => void;
  resize(size: Size, pixelRatio: number): void;
  zoomBy(factor: number): void;
  panBy(dx: number, dy: number): void;
  fit(): void;
  show(look: CellLook): void;
}

/** What the model found, as cells of a document that nobody edits. Scores stay out: a dashed line would say "check me". */
export function cellsOf({ version, cells }: LabelSet): Cell[] {
  return cells.map(({ box, rle }, index) => ({
    id: `${version}/${index}`,
    label: index + 1,
    box: readBox(box),
    rle,
    score: null,
    source: "model",
    model_version: version,
    class_id: version,
  }));
}

function createSide(image: ImageDetail, set: LabelSet, tone: Rgb, learn: Looks["learn"]): View {
  const store = createStore(image.width, image.height);
  store.apply({ added: cellsOf(set), updated: [], removed: [] }, "server");
  const scene = {
    image: {
      width: image.width,
      height: image.height,
      channels: image.channels.length,
      dtype: image.dtype === "uint16" ? ("uint16" as const) : ("uint8" as const),
      levels: image.levels,
      tileSize: image.tile_size,
    },
    document: store,
    preview: createPreviewLayer(),
    colors: createCellColors(store),
    classTone: () => tone,
    loadTile: (address: Parameters<typeof fetchTile>[2], signal: AbortSignal) => fetchTile(image.id, image.dtype, address, signal),
    onTile: learn,
    // The tile is asked for again when it is wanted again; the other side shows what is missing here.
    onTileError: () => undefined,
  };
  return createView(scene, createValue<ReadonlySet<string>>(new Set()));
}

/** `sets` in the order of the sides: the first lies left. */
export function createComparison(image: ImageDetail, sets: readonly [LabelSet, LabelSet]): Comparison {
  const lead: View = createSide(image, sets[0], SIDE_TONES[0], (address, tile) => looks.learn(address, tile));
  const other = createSide(image, sets[1], SIDE_TONES[1], () => undefined);
  const sides = [lead, other] as const;
  // Before the looks: these set the channels at once.
  lead.channels.subscribe(() => other.channels.set(lead.channels.get()));
  lead.camera.subscribe(() => other.lookAt(lead.camera.get()));
  const looks = createLooks(image, lead.channels, null);
  const pan = createPan({ view: lead });

  const show = (look: CellLook): void => {
    for (const { labels } of sides) labels.set({ fill: FILL[look], outlines: true, hidden: look === "none", colorBy: "class" });
  };
  show("outlines");

  return {
    failure: lead.failure,
    attach: (side, canvas, overlay) => sides[side].attach(canvas, overlay),
    listen: (area) =>
      listenForGestures(area, {
        view: lead,
        stepFrame: () => undefined,
        activeTool: () => pan,
        panTool: () => pan,
        blocked: () => false,
        brushAt: () => null,
      }),
    resize(size, pixelRatio) {
      for (const side of sides) side.resize(size, pixelRatio);
    },
    zoomBy: (factor) => lead.zoomBy(factor),
    panBy: lead.panBy,
    fit: lead.fit,
    show,
  };
}
