import type { Point } from "../document/contour";
import { boxAround } from "../document/raster/polygon";
import { drawShape } from "./drawing";
import type { PointerInput, Tool, ToolContext } from "./tool";

const KEY = "polygon";
/** A click this near to the first corner closes the polygon; screen pixels. */
const CLOSING_PX = 10;
/** A drag draws freehand: a corner each time that the pointer has gone this far; screen pixels. */
const FREEHAND_PX = 8;

/** P: corner by corner; the first corner, a double click or Enter closes. Backspace takes the last corner back. */
export function createPolygon(context: ToolContext): Tool {
  let corners: Point[] = [];
  let press: PointerInput | null = null;
  let subtracts = false;

  const show = (tip: Point | null): void => {
    if (corners.length === 0) {
      context.marks.drop(KEY);
      return;
    }
    const path = [...corners, ...(tip ? [{ x: tip.x, y: tip.y }] : [])];
    const points = corners.map(({ x, y }) => ({ x, y, positive: !subtracts }));
    context.marks.put(KEY, { box: boxAround(path, context.document), state: "drawing", tag: "", path, points, closed: corners.length > 1 });
  };
  const drop = (): boolean => {
    const busy = corners.length > 0;
    corners = [];
    press = null;
    show(null);
    return busy;
  };
  const close = (): boolean => {
    if (corners.length === 0) return false;
    if (corners.length < 3) {
      context.say("A polygon has three corners or more.");
      return true;
    }
    const loop = corners;
    drop();
    drawShape(context, loop, subtracts);
    return true;
  };
  const isClosing = (at: PointerInput): boolean =>
    corners.length >= 3 && at.zoom * Math.hypot(at.x - corners[0].x, at.y - corners[0].y) <= CLOSING_PX;
  const click = (at: PointerInput): void => {
    if (corners.length === 0) subtracts = at.alt;
    if (isClosing(at) || (at.clicks === 2 && corners.length >= 3)) {
      close();
      return;
    }
    corners.push({ x: at.x, y: at.y });
    show(null);
  };

  return {
    cursor: "crosshair",
    subtracts: true,
    dragging: false,
    get pending() {
      return corners.length > 0;
    },
    get hints() {
      if (corners.length === 0) return [{ keys: "Click", does: "set corners" }, { keys: "Alt", does: "cut out" }, { keys: "Space", does: "pan" }];
      return [{ keys: "Enter", does: "close" }, { keys: "Backspace", does: "last corner back" }, { keys: "Esc", does: "drop" }];
    },
    down(at) {
      press = at;
    },
    move(at) {
      if (press && Math.hypot(at.screenX - press.screenX, at.screenY - press.screenY) > FREEHAND_PX) {
        click({ ...press, clicks: 1 });
        press = { ...at, alt: press.alt, clicks: 1 };
      }
      if (corners.length > 0) show(at);
    },
    up(at) {
      const from = press;
      press = null;
      if (from) click({ ...at, alt: from.alt, clicks: from.clicks });
    },
    cancel() {
      // A press that turns into a pinch is not the polygon's end.
      const pressed = press !== null;
      press = null;
      return pressed || drop();
    },
    accept: close,
    back() {
      const busy = corners.pop() !== undefined;
      show(null);
      return busy;
    },
  };
}
