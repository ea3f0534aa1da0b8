import type { Box } from "../document/box";
import { BACKGROUND_SLOT, PREVIEW_SLOT } from "../document/labelMap";
import { type Camera, type ScreenPoint, type Size, fit, pan, reveal, toImage, toScreen, zoomAt } from "../render/camera";
import { GraphicsError } from "../render/gl";
import type { ChannelLook } from "../render/imageLayer";
import type { LabelLook } from "../render/labelLayer";
import type { Mark } from "../render/marks";
import { type Renderer, type Scene, createRenderer } from "../render/renderer";
import { type Readable, type Value, createValue } from "./value";

/** The corner that the tool card takes at its largest, with its margin, in screen pixels. */
const TOOL_CARD: Size = { width: 228, height: 130 };

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
  readonly marks: { put(key: string, mark: Mark): void; drop(key: string): void };
  /** Why nothing can be drawn in this browser, or null. */
  readonly failure: Readable<string | null>;
  /** Draws into these canvases until the returned function is called. */
  attach(canvas: HTMLCanvasElement, overlay: HTMLCanvasElement): () => void;
  resize(size: Size, pixelRatio: number): void;
  panBy(dx: number, dy: number): void;
  zoomBy(factor: number, at?: ScreenPoint): void;
  fit(): void;
  reveal(box: Box): void;
  toImage(at: ScreenPoint): ScreenPoint;
  toScreen(x: number, y: number): ScreenPoint;
  /** The pointer is at this screen point (null: it left); what a brush would cover is shown around it. */
  point(at: ScreenPoint | null, brush: { radius: number; subtracts: boolean } | null, dragging: boolean): void;
  refresh(): void;
}

export function createView(scene: Scene, selection: Readable<ReadonlySet<string>>): View {
  const { document, image } = scene;
  const camera = createValue<Camera>({ x: image.width / 2, y: image.height / 2, zoom: 1 });
  const viewport = createValue<Size>({ width: 1, height: 1 });
  const pointer = createValue<PointerPlace | null>(null);
  const channels = createValue<readonly ChannelLook[]>([]);
  const labels = createValue<LabelLook>({ fill: 0.17, outlines: true, hidden: false });
  const failure = createValue<string | null>(null);
  const marks = new Map<string, Mark>();
  let renderer: Renderer | null = null;
  let fitted = false;
  let brush: { x: number; y: number; radius: number; subtracts: boolean } | null = null;
  let dragging = false;
  let hoverSlot = BACKGROUND_SLOT;

  const refresh = (): void =>
    renderer?.show({
      camera: camera.get(),
      channels: channels.get(),
      labels: labels.get(),
      labelsHidden: labels.get().hidden,
      selection: selection.get(),
      marks: [...marks.values()],
      brush,
      dragging,
      hoverSlot: dragging ? BACKGROUND_SLOT : hoverSlot,
    });
  for (const part of [camera, channels, labels, selection]) part.subscribe(refresh);

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
      samples: Array.from({ length: image.channels }, (_, channel) => renderer?.sampleAt(channel, x, y) ?? null),
    };
  };

  return {
    camera,
    viewport,
    pointer,
    channels,
    labels,
    refresh,
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
    attach(canvas, overlay) {
      try {
        renderer = createRenderer(canvas, overlay, scene);
      } catch (error) {
        if (!(error instanceof GraphicsError)) throw error;
        failure.set(error.message);
      }
      refresh();
      return () => {
        renderer?.dispose();
        renderer = null;
      };
    },
    resize(size, pixelRatio) {
      viewport.set(size);
      renderer?.resize(size, pixelRatio);
      if (!fitted && size.width > 1) {
        fitted = true;
        camera.set(fit(image, size));
      }
      refresh();
    },
    panBy: (dx, dy) => camera.set(pan(camera.get(), image, viewport.get(), dx, dy)),
    zoomBy(factor, at) {
      const size = viewport.get();
      camera.set(zoomAt(camera.get(), image, size, at ?? { x: size.width / 2, y: size.height / 2 }, factor));
    },
    fit: () => camera.set(fit(image, viewport.get())),
    reveal: (box) => camera.set(reveal(camera.get(), viewport.get(), box, TOOL_CARD)),
    toImage: (at) => toImage(camera.get(), viewport.get(), at.x, at.y),
    toScreen: (x, y) => toScreen(camera.get(), viewport.get(), x, y),
    point(at, brushAt, drags) {
      const place = at && placeAt(at);
      hoverSlot = place ? document.labels.at(place.x, place.y) : BACKGROUND_SLOT;
      const there = at && toImage(camera.get(), viewport.get(), at.x, at.y);
      brush = there && brushAt ? { ...there, ...brushAt } : null;
      dragging = drags;
      pointer.set(place);
      refresh();
    },
  };
}
