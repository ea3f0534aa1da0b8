import type { Point } from "../document/contour";
import { boxAround } from "../document/raster/polygon";
import { CLICK_SLACK, type Hint, type PointerInput, type Tool, type ToolContext } from "./tool";

/** A new point of a path is noted after the pointer has gone this far; screen pixels. */
const PATH_STEP = 2;

export interface TraceParts {
  /** The mark's key; one per tool. */
  readonly key: string;
  readonly cursor: string;
  /** How a drag is drawn. Without a shape a drag moves the image: the tool lives on clicks. */
  readonly shape: "line" | "loop" | "box" | null;
  readonly subtracts?: true;
  hints(): readonly Hint[];
  click?(at: PointerInput): void;
  /** The drag is done: its way in image pixels, first and last point included. */
  traced?(path: readonly Point[], at: PointerInput): void;
  /** Whether clicks were made that wait for more. */
  pending?(): boolean;
  /** One step back when no drag is under way. */
  cancel?(): boolean;
  back?(): boolean;
  /** The pointer moved without a press. */
  hover?(at: PointerInput): void;
}

interface Press {
  readonly from: PointerInput;
  readonly path: Point[];
  last: PointerInput;
  moved: boolean;
}

/** The part that tools of clicks and drawn lines have in common: telling a click from a drag, and showing the line. */
export function createTraceTool(context: ToolContext, parts: TraceParts): Tool {
  let press: Press | null = null;

  const show = ({ path, from, last }: Press): void => {
    const { width, height } = context.document;
    const box = boxAround(path, { width, height });
    const shape = parts.shape === "box" ? {} : { path: [...path], closed: parts.shape === "loop" };
    if (parts.shape) context.marks.put(parts.key, { box: parts.shape === "box" ? boxAround([from, last], context.document) : box, state: "drawing", tag: "", ...shape });
  };
  const extend = (now: Press, at: PointerInput): void => {
    now.moved ||= Math.hypot(at.screenX - now.from.screenX, at.screenY - now.from.screenY) > CLICK_SLACK;
    if (!now.moved) return;
    const [dx, dy] = [at.screenX - now.last.screenX, at.screenY - now.last.screenY];
    if (parts.shape === null) {
      if (dx !== 0 || dy !== 0) context.view.panBy(dx, dy);
      now.last = at;
    } else if (Math.hypot(dx, dy) >= PATH_STEP) {
      now.path.push({ x: at.x, y: at.y });
      now.last = at;
      show(now);
    }
  };
  const drop = (): void => {
    press = null;
    context.marks.drop(parts.key);
  };

  return {
    get cursor() {
      return press?.moved && parts.shape === null ? "grabbing" : parts.cursor;
    },
    get dragging() {
      return press !== null;
    },
    get hints() {
      return press?.moved && parts.shape !== null ? [{ keys: "Let go", does: "done" }, { keys: "Esc", does: "cancel" }] : parts.hints();
    },
    subtracts: parts.subtracts ?? false,
    get pending() {
      return parts.pending?.() ?? false;
    },
    down(at) {
      press = { from: at, last: at, path: [{ x: at.x, y: at.y }], moved: false };
    },
    move(at) {
      if (press) extend(press, at);
      else parts.hover?.(at);
    },
    up(at) {
      if (!press) return;
      const done = press;
      extend(done, at);
      drop();
      if (!done.moved) parts.click?.({ ...at, alt: done.from.alt, clicks: done.from.clicks });
      else if (parts.shape !== null) parts.traced?.([...done.path, { x: at.x, y: at.y }], { ...at, alt: done.from.alt });
    },
    cancel() {
      const busy = press !== null;
      drop();
      return busy || (parts.cancel?.() ?? false);
    },
    back: () => parts.back?.() ?? false,
  };
}

/** The pixel that the pointer is in. */
export const pixelAt = (at: Point): Point => ({ x: Math.floor(at.x), y: Math.floor(at.y) });
