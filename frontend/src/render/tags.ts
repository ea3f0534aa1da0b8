import type { Point } from "../document/contour";
import type { Size } from "./camera";

/** A few words on a coloured ground, over the picture. Screen pixels throughout. */
export interface Tag {
  readonly text: string;
  readonly back: string;
  readonly ink: string;
}

export interface TagPlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
}

export const TAG_HEIGHT = 18;
const FONT = '600 11px "Inter", -apple-system, "Segoe UI", "Liberation Sans", Arial, system-ui, sans-serif';

/** Where a tag lies whose lower left corner wants to be `at`: all of it in view. Null: what it belongs to is not in view. */
export function tagPlace(width: number, at: Point, viewport: Size): TagPlace | null {
  if (at.x + width < 0 || at.x > viewport.width || at.y < 0 || at.y - TAG_HEIGHT > viewport.height) return null;
  const left = Math.max(0, Math.min(Math.round(at.x), viewport.width - width));
  return { left, top: Math.max(0, Math.round(at.y) - TAG_HEIGHT), width };
}

export function overlaps(one: TagPlace, other: TagPlace): boolean {
  const across = one.left < other.left + other.width && other.left < one.left + one.width;
  return across && Math.abs(one.top - other.top) < TAG_HEIGHT;
}

/** Draws a tag; one that `yields` is left out where another lies already. */
export type DrawTag = (tag: Tag, at: Point, yields?: boolean) => void;

/** The tags of one drawing of the overlay. */
export function tagsOn(context: CanvasRenderingContext2D, viewport: Size): DrawTag {
  const drawn: TagPlace[] = [];
  return ({ text, back, ink }, at, yields = false) => {
    context.font = FONT;
    const place = tagPlace(Math.ceil(context.measureText(text).width) + 12, at, viewport);
    if (!place || (yields && drawn.some((other) => overlaps(place, other)))) return;
    drawn.push(place);
    context.fillStyle = back;
    context.beginPath();
    context.roundRect(place.left, place.top, place.width, TAG_HEIGHT, 4);
    context.fill();
    context.fillStyle = ink;
    context.textBaseline = "middle";
    context.fillText(text, place.left + 6, place.top + TAG_HEIGHT / 2 + 0.5);
  };
}
