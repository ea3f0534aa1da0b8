import { type Box, boxIntersect, boxIsEmpty } from "../document/box";
import type { Camera, Size } from "./camera";

/**
 * A camera in whole device pixels: image point (x, y) lies at device pixel (x * scale - left, y * scale - top) of the
 * canvas, y down. `left` and `top` are whole numbers, so that at one scale two placements differ by a shift of pixels.
 */
export interface Placement {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** The placement nearest to `camera` on a canvas of `canvas` device pixels. */
export function placementOf(camera: Camera, canvas: Size, pixelRatio: number): Placement {
  const scale = camera.zoom * pixelRatio;
  return {
    scale,
    left: Math.round(camera.x * scale - canvas.width / 2),
    top: Math.round(camera.y * scale - canvas.height / 2),
  };
}

/** The camera that a placement really shows: what lies over the picture must use it too. */
export function cameraOf({ scale, left, top }: Placement, canvas: Size, pixelRatio: number): Camera {
  return { x: (left + canvas.width / 2) / scale, y: (top + canvas.height / 2) / scale, zoom: scale / pixelRatio };
}

/** Device pixels that show `box` (image pixels), and `margin` more on every side; whole numbers, not cut at the canvas. */
export function deviceBox(box: Box, { scale, left, top }: Placement, margin: number): Box {
  return [
    Math.floor(box[0] * scale - left) - margin,
    Math.floor(box[1] * scale - top) - margin,
    Math.ceil(box[2] * scale - left) + margin,
    Math.ceil(box[3] * scale - top) + margin,
  ];
}

/** The image plane behind `part` (device pixels), in image pixels. */
export function imageBox(part: Box, { scale, left, top }: Placement): Box {
  return [(part[0] + left) / scale, (part[1] + top) / scale, (part[2] + left) / scale, (part[3] + top) / scale];
}

/**
 * Texels by which shaders read beside the true place. Where a pixel's centre lies just between two texels, rounding would choose
 * one of them, and another one after a pan: this is more than rounding can be, and less than can be seen.
 */
export const OFF_THE_EDGE = { x: 5e-4, y: 3e-4 } as const;

/** A square piece of the image and where on the canvas it is to be drawn. */
export interface PlacedTile {
  readonly row: number;
  readonly column: number;
  /** Device pixels, cut at `part` and at the image's edge. Neighbours share their edge exactly. */
  readonly target: Box;
}

/** The tiles of `span` x `span` image pixels that are seen in `part` (device pixels), row by row. */
export function tilesIn(part: Box, placement: Placement, image: Size, span: number): PlacedTile[] {
  const seen = boxIntersect(imageBox(part, placement), [0, 0, image.width, image.height]);
  if (boxIsEmpty(seen)) return [];
  const { scale, left, top } = placement;
  const found: PlacedTile[] = [];
  for (let row = Math.floor(seen[1] / span); row * span < seen[3]; row++) {
    for (let column = Math.floor(seen[0] / span); column * span < seen[2]; column++) {
      const [x0, y0] = [column * span, row * span];
      const whole: Box = [
        x0 * scale - left,
        y0 * scale - top,
        Math.min(x0 + span, image.width) * scale - left,
        Math.min(y0 + span, image.height) * scale - top,
      ];
      found.push({ row, column, target: boxIntersect(whole, part) });
    }
  }
  return found;
}
