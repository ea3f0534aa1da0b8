/**
 * Where the view looks: pure maths between image pixels and screen pixels (CSS pixels inside the canvas, y down).
 */
export interface Camera {
  /** The image point at the middle of the viewport, in image pixels. */
  readonly x: number;
  readonly y: number;
  /** Screen pixels per image pixel. */
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface ScreenPoint {
  readonly x: number;
  readonly y: number;
}

export const MAX_ZOOM = 64;
/** Screen pixels that stay free around a fitted image. */
const FIT_MARGIN = 24;

export function toScreen(camera: Camera, viewport: Size, x: number, y: number): ScreenPoint {
  return {
    x: (x - camera.x) * camera.zoom + viewport.width / 2,
    y: (y - camera.y) * camera.zoom + viewport.height / 2,
  };
}

export function toImage(camera: Camera, viewport: Size, x: number, y: number): ScreenPoint {
  return {
    x: (x - viewport.width / 2) / camera.zoom + camera.x,
    y: (y - viewport.height / 2) / camera.zoom + camera.y,
  };
}

/** The whole image in the middle of the viewport. */
export function fit(image: Size, viewport: Size): Camera {
  const room = { width: Math.max(1, viewport.width - 2 * FIT_MARGIN), height: Math.max(1, viewport.height - 2 * FIT_MARGIN) };
  const zoom = Math.min(room.width / image.width, room.height / image.height, MAX_ZOOM);
  return { x: image.width / 2, y: image.height / 2, zoom };
}

/** The smallest zoom offered: half of what fits, so that the image never shrinks to a dot. */
export function minZoom(image: Size, viewport: Size): number {
  return Math.min(fit(image, viewport).zoom / 2, 1);
}

/** The middle of the viewport never leaves the image, so the image cannot be lost. */
export function clamp(camera: Camera, image: Size, viewport: Size): Camera {
  return {
    x: Math.min(image.width, Math.max(0, camera.x)),
    y: Math.min(image.height, Math.max(0, camera.y)),
    zoom: Math.min(MAX_ZOOM, Math.max(minZoom(image, viewport), camera.zoom)),
  };
}

/** Zooms so that the image point under `point` (screen pixels) stays under it. */
export function zoomAt(camera: Camera, image: Size, viewport: Size, point: ScreenPoint, factor: number): Camera {
  const zoom = Math.min(MAX_ZOOM, Math.max(minZoom(image, viewport), camera.zoom * factor));
  const held = toImage(camera, viewport, point.x, point.y);
  return clamp(
    {
      x: held.x - (point.x - viewport.width / 2) / zoom,
      y: held.y - (point.y - viewport.height / 2) / zoom,
      zoom,
    },
    image,
    viewport,
  );
}

/** Moves the image by screen pixels, as a drag does. */
export function pan(camera: Camera, image: Size, viewport: Size, dx: number, dy: number): Camera {
  return clamp({ ...camera, x: camera.x - dx / camera.zoom, y: camera.y - dy / camera.zoom }, image, viewport);
}

/** The part of the image plane in view, in image pixels, as [x0, y0, x1, y1). */
export function visibleBox(camera: Camera, viewport: Size): [number, number, number, number] {
  const from = toImage(camera, viewport, 0, 0);
  const to = toImage(camera, viewport, viewport.width, viewport.height);
  return [from.x, from.y, to.x, to.y];
}

/** `camera`, moved to the middle of `box` only if that is not in view; what lies in the `covered` top left corner is not. */
export function reveal(camera: Camera, viewport: Size, box: readonly [number, number, number, number], covered: Size = { width: 0, height: 0 }): Camera {
  const seen = visibleBox(camera, viewport);
  const corner = toImage(camera, viewport, covered.width, covered.height);
  const inside = box[0] >= seen[0] && box[1] >= seen[1] && box[2] <= seen[2] && box[3] <= seen[3];
  const inView = inside && (box[0] >= corner.x || box[1] >= corner.y);
  return inView ? camera : { ...camera, x: (box[0] + box[2]) / 2, y: (box[1] + box[3]) / 2 };
}

/** The pyramid step (0 = full size) whose texels are at most one device pixel, for `pixelZoom` device pixels per image pixel. */
export function levelFor(pixelZoom: number, levels: number): number {
  return Math.min(levels - 1, Math.max(0, Math.floor(Math.log2(1 / pixelZoom))));
}
