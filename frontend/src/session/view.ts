import type { Box } from "../document/box";
import { BACKGROUND_SLOT, PREVIEW_SLOT } from "../document/labelMap";
import { type Camera, type ScreenPoint, type Size, pan, reveal, toImage, toScreen, zoomAt } from "../render/camera";
import { GraphicsError } from "../render/gl";
import type { ChannelLook } from "../render/imageLayer";
import type { LabelLook } from "../render/labelLayer";
import type { Mark } from "../render/marks";
import { type Renderer, type Scene, createRenderer } from "../render/renderer";
import { type Corner, type Covers, fitUncovered } from "./fitting";
import { type Readable, type Value, createValue } from "./value";

/** What lies under the pointer; null when the pointer is not over the canvas. */
export interface PointerPlace {
  readonly x: number;
  readonly y: number;
  readonly label: number | null;
  readonly making: boolean;
  readonly samples: readonly (number | null)[];
}

export interface View {
  readonly camera: Readable<Camera>;
  readonly viewport: Readable<Size>;
  readonly pointer: Readable<PointerPlace | null>;
  readonly channels: Value<readonly ChannelLook[]>;
  readonly labels: Value<LabelLook>;
  /** The image's light is shown as dark. */
  readonly inverted: Value<boolean>;
  readonly marks: { put(key: string, mark: Mark): void; drop(key: string): void };
  /** Why nothing can be drawn in this browser, or null. */
  readonly failure: Readable<string | null>;
  /** What floats over the picture's corners: a fitted image keeps clear of it. */
  readonly covers: Readable<Covers>;
  /** This corner is covered as far as `size`; null: not any more. */
  cover(corner: Corner, size: Size | null): void;
  /** Whether a gesture is on: what is not about it hides. */
  readonly dragging: Readable<boolean>;
  /** Draws what is switched on into these canvases until the returned function is called. */
  attach(canvas: HTMLCanvasElement, overlay: HTMLCanvasElement): () => void;
  /** One more picture beside the first, of the same size and place, of these channels alone. */
  attachPane(canvas: HTMLCanvasElement, overlay: HTMLCanvasElement, only: readonly number[]): () => void;
  resize(size: Size, pixelRatio: number): void;
  panBy(dx: number, dy: number): void;
  zoomBy(factor: number, at?: ScreenPoint): void;
  fit(): void;
  /** Looks where another view of an image of this size looked; the first fit is left out then. */
  lookAt(camera: Camera): void;
  reveal(box: Box): void;
  toImage(at: ScreenPoint): ScreenPoint;
  toScreen(x: number, y: number): ScreenPoint;
  /** The pointer is at this screen point (null: it left); what a brush would cover is shown around it. */
  point(at: ScreenPoint | null, brush: { radius: number; subtracts: boolean } | null, dragging: boolean): void;
  refresh(): void;
  /** The classes have other colours now. */
  recolor(): void;
}

export function createView(scene: Scene, selection: Readable<ReadonlySet<string>>): View {
  const { document, image } = scene;
  const camera = createValue<Camera>({ x: image.width / 2, y: image.height / 2, zoom: 1 });
  const viewport = createValue<Size>({ width: 1, height: 1 });
  const pointer = createValue<PointerPlace | null>(null);
  const channels = createValue<readonly ChannelLook[]>([]);
  const labels = createValue<LabelLook>({ fill: 0.17, outlines: true, hidden: false, colorBy: "id" });
  const inverted = createValue(false);
  const failure = createValue<string | null>(null);
  const marks = new Map<string, Mark>();
  const covers = createValue<Covers>({});
  /** Corners whose cover the first fit knew, or was made again for. */
  const known = new Set<Corner>();
  /** The first shows what is switched on; the others their own channels. */
  const panes: { readonly renderer: Renderer; readonly only: readonly number[] | null }[] = [];
  const main = (): Renderer | undefined => panes.find(({ only }) => only === null)?.renderer;
  let pixelRatio = 1;
  let fitted = false;
  /** Nobody has moved the view since it was fitted. */
  let untouched = true;
  let brush: { x: number; y: number; radius: number; subtracts: boolean } | null = null;
  const dragging = createValue(false);
  let hoverSlot = BACKGROUND_SLOT;
  /** Where the pointer stands on the screen. */
  let hand: ScreenPoint | null = null;

  const channelsOf = (only: readonly number[] | null): readonly ChannelLook[] =>
    only ? channels.get().map((look, index) => ({ ...look, visible: only.includes(index) })) : channels.get();
  const refresh = (): void => {
    for (const { renderer, only } of panes) {
      renderer.show({
        camera: camera.get(),
        channels: channelsOf(only),
        inverted: inverted.get(),
        labels: labels.get(),
        labelsHidden: labels.get().hidden,
        selection: selection.get(),
        marks: [...marks.values()],
        brush,
        dragging: dragging.get(),
        hoverSlot: dragging.get() ? BACKGROUND_SLOT : hoverSlot,
      });
    }
  };
  for (const part of [channels, inverted, labels, selection]) part.subscribe(refresh);

  const fitNow = (): void => {
    fitted = viewport.get().width > 1;
    const { "top-left": card } = covers.get();
    // Side by side all panes have one camera, and only the card, in the first of them, is large enough to matter.
    camera.set(fitUncovered(image, viewport.get(), panes.length > 1 && card ? { "top-left": card } : covers.get()));
    untouched = true;
  };
  const cover = (corner: Corner, size: Size | null): void => {
    const { [corner]: before, ...others } = covers.get();
    covers.set(size ? { ...others, [corner]: size } : others);
    // What floats here may tell its size after the first fit. Later it changes with the tool, and the picture must not jump.
    if (fitted && untouched && !before && size && !known.has(corner)) fitNow();
    known.add(corner);
  };
  const attachTo = (canvas: HTMLCanvasElement, overlay: HTMLCanvasElement, only: readonly number[] | null): (() => void) => {
    let pane: (typeof panes)[number] | null = null;
    try {
      pane = { renderer: createRenderer(canvas, overlay, scene), only };
      panes.push(pane);
      if (viewport.get().width > 1) pane.renderer.resize(viewport.get(), pixelRatio);
    } catch (error) {
      if (!(error instanceof GraphicsError)) throw error;
      failure.set(error.message);
    }
    refresh();
    return () => {
      if (!pane) return;
      panes.splice(panes.indexOf(pane), 1);
      pane.renderer.dispose();
    };
  };

  const placeAt = (at: ScreenPoint): PointerPlace | null => {
    const there = toImage(camera.get(), viewport.get(), at.x, at.y);
    const [x, y] = [Math.floor(there.x), Math.floor(there.y)];
    if (x < 0 || y < 0 || x >= image.width || y >= image.height) return null;
    const slot = document.labels.at(x, y);
    return {
      x,
      y,
      label: document.bySlot(slot)?.label ?? null,
      making: slot === PREVIEW_SLOT,
      samples: Array.from({ length: image.channels }, (_, channel) => main()?.sampleAt(channel, x, y) ?? null),
    };
  };

  const look = (): void => {
    const place = hand && placeAt(hand);
    hoverSlot = place ? document.labels.at(place.x, place.y) : BACKGROUND_SLOT;
    pointer.set(place);
  };
  // The cell under a hand that rests can go, or the picture can move away beneath it.
  camera.subscribe(() => {
    if (hand) look();
    refresh();
  });
  document.listen(() => {
    if (hand) look();
  });

  return {
    camera,
    viewport,
    pointer,
    channels,
    labels,
    inverted,
    refresh,
    recolor() {
      for (const { renderer } of panes) renderer.recolor();
    },
    failure,
    marks: {
      put(key, mark) {
        marks.set(key, mark);
        refresh();
      },
      drop(key) {
        if (marks.delete(key)) refresh();
      },
    },
    covers,
    cover,
    dragging,
    attach: (canvas, overlay) => attachTo(canvas, overlay, null),
    attachPane: attachTo,
    resize(size, ratio) {
      pixelRatio = ratio;
      viewport.set(size);
      for (const { renderer } of panes) renderer.resize(size, ratio);
      // A picture that nobody has moved stays fitted when the window or a panel changes.
      if ((!fitted || untouched) && size.width > 1) fitNow();
      refresh();
    },
    panBy(dx, dy) {
      untouched = false;
      camera.set(pan(camera.get(), image, viewport.get(), dx, dy));
    },
    zoomBy(factor, at) {
      const size = viewport.get();
      untouched = false;
      camera.set(zoomAt(camera.get(), image, size, at ?? { x: size.width / 2, y: size.height / 2 }, factor));
    },
    fit: fitNow,
    lookAt(next) {
      fitted = true;
      untouched = false;
      camera.set(next);
    },
    reveal(box) {
      const next = reveal(camera.get(), viewport.get(), box, covers.get()["top-left"]);
      if (next !== camera.get()) untouched = false;
      camera.set(next);
    },
    toImage: (at) => toImage(camera.get(), viewport.get(), at.x, at.y),
    toScreen: (x, y) => toScreen(camera.get(), viewport.get(), x, y),
    point(at, brushAt, drags) {
      hand = at;
      const there = at && toImage(camera.get(), viewport.get(), at.x, at.y);
      brush = there && brushAt ? { ...there, ...brushAt } : null;
      if (dragging.get() !== drags) dragging.set(drags);
      look();
      refresh();
    },
  };
}
