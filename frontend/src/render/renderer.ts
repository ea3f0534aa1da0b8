import type { CellColors } from "../document/colors";
import type { PreviewLayer } from "../document/preview";
import type { DocumentReader } from "../document/store";
import type { Camera, Size } from "./camera";
import { GraphicsError } from "./gl";
import { type ChannelLook, type ImageLayer, type ImageShape, createImageLayer } from "./imageLayer";
import { type LabelLayer, type LabelLook, createLabelLayer } from "./labelLayer";
import { type OverlayState, createOverlay } from "./overlay";
import { createStyleTable } from "./styleTable";
import { type LoadTile, type Tile, type TileAddress, createTileCache } from "./tileCache";

/** Everything that decides what a frame looks like, besides the document. */
export interface ViewState extends OverlayState {
  readonly camera: Camera;
  readonly channels: readonly ChannelLook[];
  readonly labels: LabelLook;
  readonly hoverSlot: number;
}

export interface Scene {
  readonly image: ImageShape;
  readonly document: DocumentReader;
  readonly preview: PreviewLayer;
  readonly colors: CellColors;
  readonly loadTile: LoadTile;
  onTile(address: TileAddress, tile: Tile): void;
  onTileError(error: unknown): void;
}

export interface Renderer {
  show(state: ViewState): void;
  resize(viewport: Size, pixelRatio: number): void;
  /** The sample under an image pixel, from the finest tile that is loaded; null until one is. */
  sampleAt(channel: number, x: number, y: number): number | null;
  dispose(): void;
}

interface Layers {
  readonly image: ImageLayer;
  readonly labels: LabelLayer;
}

const PICTURE_PARTS = ["camera", "channels", "labels", "selection", "hoverSlot"] as const;

/** Draws only when something changed: an idle page costs nothing. Reads the document, never writes it. */
export function createRenderer(canvas: HTMLCanvasElement, overlayCanvas: HTMLCanvasElement, scene: Scene): Renderer {
  const context = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: false });
  const flat = overlayCanvas.getContext("2d");
  if (!context || !flat) throw new GraphicsError("This browser has no WebGL2, which the picture needs.");
  const gl = context;
  const { document, preview, image } = scene;

  const styles = createStyleTable(document, scene.colors);
  const drawOverlay = createOverlay(flat, document);
  let layers: Layers | null = null;
  let state: ViewState | null = null;
  let viewport: Size = { width: 1, height: 1 };
  let ratio = 1;
  let frame = 0;
  // The picture stays on its canvas until it is drawn again: a moving brush or box costs the overlay only.
  let pictureStale = true;

  const tiles = createTileCache(scene.loadTile, {
    onLoad(address, tile) {
      scene.onTile(address, tile);
      invalidate();
    },
    onDrop: (key) => layers?.image.drop(key),
    onError: (error) => scene.onTileError(error),
  });
  const build = (): void => {
    styles.forget();
    layers = { image: createImageLayer(gl, image, tiles), labels: createLabelLayer(gl, document, preview, styles) };
  };
  build();

  const draw = (): void => {
    frame = 0;
    if (!state || !layers || gl.isContextLost()) return;
    if (pictureStale) drawPicture(state, layers);
    drawOverlay(state, viewport, ratio);
  };
  const drawPicture = (state: ViewState, layers: Layers): void => {
    pictureStale = false;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    layers.image.draw(state.camera, viewport, ratio, state.channels);
    layers.labels.draw(state.camera, viewport, ratio, state.labels, state.hoverSlot);
  };
  function redraw(): void {
    frame ||= requestAnimationFrame(draw);
  }
  function invalidate(): void {
    pictureStale = true;
    redraw();
  }

  const unlisten = [
    document.listen((change) => {
      styles.change(change);
      if (change.dirty.length > 1000) layers?.labels.repaint([0, 0, image.width, image.height]);
      else for (const box of change.dirty) layers?.labels.repaint(box);
      invalidate();
    }),
    preview.listen((box) => {
      layers?.labels.repaint(box);
      invalidate();
    }),
  ];

  const onLost = (event: Event): void => {
    event.preventDefault();
    layers = null;
  };
  const onRestored = (): void => {
    build();
    invalidate();
  };
  canvas.addEventListener("webglcontextlost", onLost);
  canvas.addEventListener("webglcontextrestored", onRestored);

  return {
    show(next) {
      if (state?.selection !== next.selection) styles.select(next.selection);
      const last = state;
      state = next;
      if (!last || PICTURE_PARTS.some((part) => last[part] !== next[part])) invalidate();
      else redraw();
    },
    resize(size, pixelRatio) {
      viewport = size;
      ratio = pixelRatio;
      for (const target of [canvas, overlayCanvas]) {
        target.width = Math.max(1, Math.round(size.width * pixelRatio));
        target.height = Math.max(1, Math.round(size.height * pixelRatio));
      }
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
      for (const stop of unlisten) stop();
      tiles.dispose();
      canvas.removeEventListener("webglcontextlost", onLost);
      canvas.removeEventListener("webglcontextrestored", onRestored);
    },
  };
}
