import { type Box, boxGrow } from "../document/box";
import type { CellColors } from "../document/colors";
import { BACKGROUND_SLOT } from "../document/labelMap";
import type { PreviewLayer } from "../document/preview";
import type { ChangeSet, DocumentReader } from "../document/store";
import { type Camera, type Size } from "./camera";
import { type Rgb, tonesBy } from "./cellTones";
import { GraphicsError } from "./gl";
import { type ChannelLook, type ImageLayer, type ImageShape, createImageLayer } from "./imageLayer";
import { type LabelLayer, type LabelLook, createLabelLayer, spillOf } from "./labelLayer";
import { type OverlayState, createOverlay } from "./overlay";
import { type Picture, createPicture } from "./picture";
import { type Placement, cameraOf, deviceBox, placementOf } from "./placement";
import { createStyleTable } from "./styleTable";
import { type LoadTile, type Tile, type TileAddress, createTileCache } from "./tileCache";

/** Everything that decides what a frame looks like, besides the document. */
export interface ViewState extends OverlayState {
  readonly camera: Camera;
  readonly channels: readonly ChannelLook[];
  /** The image's light is shown as dark. */
  readonly inverted: boolean;
  readonly labels: LabelLook;
  readonly hoverSlot: number;
}

export interface Scene {
  readonly image: ImageShape;
  readonly document: DocumentReader;
  readonly preview: PreviewLayer;
  readonly colors: CellColors;
  /** A class's colour in the project; null if it has none (any more). */
  classTone(classId: string): Rgb | null;
  readonly loadTile: LoadTile;
  onTile(address: TileAddress, tile: Tile): void;
  onTileError(error: unknown): void;
}

export interface Renderer {
  show(state: ViewState): void;
  resize(viewport: Size, pixelRatio: number): void;
  /** The colours of `Scene` (of cells, of classes) are others now. */
  recolor(): void;
  /** The sample under an image pixel, from the finest tile that is loaded; null until one is. */
  sampleAt(channel: number, x: number, y: number): number | null;
  dispose(): void;
}

interface Layers {
  readonly picture: Picture;
  readonly image: ImageLayer;
  readonly labels: LabelLayer;
}

const sameLook = (a: ChannelLook, b: ChannelLook | undefined): boolean =>
  a === b || (b !== undefined && (["low", "high", "gamma", "visible"] as const).every((part) => a[part] === b[part]) && a.color.every((v, i) => v === b.color[i]));

/** Whether all of the picture must be drawn again. Looks count by what they say: some callers make them anew each time. */
function looksOther(last: ViewState, next: ViewState): boolean {
  const channels = next.channels.length === last.channels.length && next.channels.every((look, index) => sameLook(look, last.channels[index]));
  return !channels || last.inverted !== next.inverted || last.labels !== next.labels;
}

/** More changed boxes than this are cheaper as one. */
const MOST_BOXES = 1000;
/** A stretched picture is drawn properly when the zoom has rested this long, or after so many times what that takes. */
const REST_MS = 120;
const ROUGH_SHARE = 8;
/** Screen pixels that lines and their casing may reach around a cell. */
const LINE_REACH = 5;

/** Draws only when something changed, and only that: an idle page costs nothing. Reads the document, never writes it. */
export function createRenderer(canvas: HTMLCanvasElement, overlayCanvas: HTMLCanvasElement, scene: Scene): Renderer {
  const context = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: false });
  const flat = overlayCanvas.getContext("2d");
  if (!context || !flat) throw new GraphicsError("This browser has no WebGL2, which the picture needs.");
  const gl = context;
  const { document, preview, image } = scene;
  const everything: Box = [0, 0, image.width, image.height];

  let colorBy: LabelLook["colorBy"] = "id";
  const tones = () => tonesBy(colorBy, scene.colors, (id) => scene.classTone(id));
  const styles = createStyleTable(document, tones());
  const drawOverlay = createOverlay(flat, document);
  let layers: Layers | null = null;
  let state: ViewState | null = null;
  let viewport: Size = { width: 1, height: 1 };
  let ratio = 1;
  let frame = 0;
  let settling: ReturnType<typeof setTimeout> | undefined;
  let roughSince: number | null = null;
  /** What to draw again, in image pixels. */
  let changed: Box[] = [];
  // The picture stays on its canvas until it changes: a moving brush or box costs the overlay only.
  let pictureStale = true;

  const tiles = createTileCache(scene.loadTile, {
    onLoad(address, tile) {
      scene.onTile(address, tile);
      const span = image.tileSize * 2 ** address.level;
      const [x, y] = [address.column * span, address.row * span];
      // Smoothing between texels reaches one texel into the neighbour.
      if (state?.channels[address.channel]?.visible) changeIn(boxGrow([x, y, x + span, y + span], 2 ** address.level));
    },
    onDrop: (key) => layers?.image.drop(key),
    onError: (error) => scene.onTileError(error),
  });
  const build = (): void => {
    styles.forget();
    const picture = createPicture(gl);
    picture.resize({ width: canvas.width, height: canvas.height });
    layers = { picture, image: createImageLayer(gl, image, tiles), labels: createLabelLayer(gl, document, preview, styles) };
  };
  build();

  const draw = (): void => {
    frame = 0;
    if (!state || !layers || gl.isContextLost()) return;
    const placement = placementOf(state.camera, canvas, ratio);
    if (pictureStale) drawPicture(state, layers, placement);
    drawOverlay({ ...state, camera: cameraOf(placement, canvas, ratio) }, viewport, ratio);
  };
  const drawPicture = ({ camera, channels, inverted, labels, hoverSlot }: ViewState, layers: Layers, placement: Placement): void => {
    pictureStale = false;
    layers.image.want(placement, canvas, camera, channels);
    const roughFor = layers.picture.moveTo(placement);
    if (roughFor > 0) settleSoon(ROUGH_SHARE * roughFor);
    for (const box of changed) layers.picture.damage(deviceBox(box, placement, LINE_REACH * Math.ceil(ratio)));
    changed = [];
    layers.picture.present((part) => {
      gl.clearColor(0, 0, 0, 1);
      gl.clear(gl.COLOR_BUFFER_BIT);
      layers.image.draw(part, placement, canvas, { channels, inverted });
      layers.labels.draw(part, placement, canvas, ratio, labels, hoverSlot);
    });
  };
  function redraw(): void {
    frame ||= requestAnimationFrame(draw);
  }
  function changeIn(box: Box): void {
    if (changed.length >= MOST_BOXES) changed = [everything];
    else changed.push(box);
    pictureStale = true;
    redraw();
  }
  const changeAll = (): void => {
    layers?.picture.damageAll();
    pictureStale = true;
    redraw();
  };
  const settleSoon = (atLatest: number): void => {
    const now = performance.now();
    roughSince ??= now;
    clearTimeout(settling);
    settling = setTimeout(() => {
      roughSince = null;
      changeAll();
    }, Math.max(0, Math.min(REST_MS, roughSince + atLatest - now)));
  };
  /** Labels inside `box` are others now. */
  const relabel = (box: Box): void => {
    layers?.labels.repaint(box);
    changeIn(boxGrow(box, state ? spillOf(state.camera.zoom * ratio) : 0));
  };
  const restyle = (cellBox: Box | undefined): void => {
    if (cellBox) changeIn(boxGrow(cellBox, state ? spillOf(state.camera.zoom * ratio) : 0));
  };
  const recolor = (): void => {
    styles.recolor(tones());
    changeAll();
  };

  const followDocument = (change: ChangeSet): void => {
    styles.change(change);
    if (change.dirty.length > MOST_BOXES) relabel(everything);
    else for (const box of change.dirty) relabel(box);
  };
  const followSelection = (before: ReadonlySet<string>, now: ReadonlySet<string>): void => {
    styles.select(now);
    const differ = [...before].filter((id) => !now.has(id)).concat([...now].filter((id) => !before.has(id)));
    if (differ.length > MOST_BOXES) changeAll();
    else for (const id of differ) restyle(document.get(id)?.box);
  };
  const follow = (last: ViewState | null, next: ViewState): void => {
    if (next.labels.colorBy !== colorBy) {
      colorBy = next.labels.colorBy;
      recolor();
    }
    followSelection(last?.selection ?? new Set(), next.selection);
    if (!last || looksOther(last, next)) changeAll();
    else if (last.hoverSlot !== next.hoverSlot) for (const slot of [last.hoverSlot, next.hoverSlot]) restyle(document.bySlot(slot)?.box);
    if (last?.camera !== next.camera) pictureStale = true;
    redraw();
  };

  const unlisten = [document.listen(followDocument), preview.listen(relabel)];

  const onLost = (event: Event): void => {
    event.preventDefault();
    layers = null;
  };
  const onRestored = (): void => {
    build();
    changeAll();
  };
  canvas.addEventListener("webglcontextlost", onLost);
  canvas.addEventListener("webglcontextrestored", onRestored);

  return {
    show(next) {
      // The mask that is being made has no cell, and a look of its own already.
      const hoverSlot = document.bySlot(next.hoverSlot) ? next.hoverSlot : BACKGROUND_SLOT;
      const last = state;
      state = { ...next, hoverSlot };
      follow(last, state);
    },
    recolor,
    resize(size, pixelRatio) {
      viewport = size;
      ratio = pixelRatio;
      for (const target of [canvas, overlayCanvas]) {
        target.width = Math.max(1, Math.round(size.width * pixelRatio));
        target.height = Math.max(1, Math.round(size.height * pixelRatio));
      }
      layers?.picture.resize({ width: canvas.width, height: canvas.height });
      // Resizing cleared both canvases: draw before the browser shows them, or every resize step would flash.
      cancelAnimationFrame(frame);
      pictureStale = true;
      draw();
    },
    sampleAt(channel, x, y) {
      for (let level = 0; level < image.levels.length; level++) {
        const [column, row] = [x, y].map((v) => Math.floor(v / 2 ** level / image.tileSize));
        const tile = tiles.get({ channel, level, row, column });
        if (!tile) continue;
        const left = Math.min(tile.width - 1, Math.floor(x / 2 ** level) - column * image.tileSize);
        const top = Math.min(tile.height - 1, Math.floor(y / 2 ** level) - row * image.tileSize);
        return tile.samples[top * tile.width + left];
      }
      return null;
    },
    dispose() {
      cancelAnimationFrame(frame);
      clearTimeout(settling);
      for (const stop of unlisten) stop();
      tiles.dispose();
      canvas.removeEventListener("webglcontextlost", onLost);
      canvas.removeEventListener("webglcontextrestored", onRestored);
    },
  };
}
