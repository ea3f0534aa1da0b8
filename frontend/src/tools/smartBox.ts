import type { Box } from "../document/box";
import { boxEquals, boxHeight, boxWidth } from "../document/box";
import { PREVIEW_SLOT } from "../document/labelMap";
import { bitmapOf } from "../document/mask";
import { createProposals, markOf } from "./proposals";
import type { DecodedMask, PointerInput, Tool, ToolContext } from "./tool";
import { CLICK_SLACK } from "./tool";

const KEY = "box-drag";
/** A look ahead is worth a request from this size on; image pixels a side. */
const SMALLEST_LOOK = 6;

interface Drag {
  readonly from: PointerInput;
  readonly box: Box;
  /** The mask for `seenBox`, asked for while the hand rested. */
  readonly seen: DecodedMask | null;
  readonly seenBox: Box | null;
  readonly control: AbortController;
}

/**
 * S: drag a box around one cell and let go: its mask is shown. The next box, Enter or another tool keeps it, Esc drops it, and clicks
 * refine it where the model takes them. The next box need not wait for the mask of the one before.
 */
export function createSmartBox(context: ToolContext): Tool {
  const proposals = createProposals(context);
  let drag: Drag | null = null;

  const boxTo = (from: PointerInput, to: PointerInput): Box => {
    const { width, height } = context.document;
    const within = (value: number, end: number): number => Math.min(end, Math.max(0, Math.round(value)));
    return [
      within(Math.min(from.x, to.x), width),
      within(Math.min(from.y, to.y), height),
      within(Math.max(from.x, to.x), width),
      within(Math.max(from.y, to.y), height),
    ];
  };
  const isDrag = (from: PointerInput, to: PointerInput): boolean => Math.hypot(to.screenX - from.screenX, to.screenY - from.screenY) > CLICK_SLACK;

  const endDrag = (): void => {
    drag?.control.abort();
    drag = null;
    context.marks.drop(KEY);
    context.preview.drop(KEY);
  };
  /** What the mask would be if the hand let go now. */
  const look = async (now: Drag): Promise<void> => {
    const { box } = now;
    try {
      const found = await context.model.decode({ box, points: [] }, now.control.signal, () => undefined);
      if (drag?.control !== now.control) return;
      drag = { ...drag, seen: found, seenBox: box };
      context.preview.drop(KEY);
      context.preview.add(KEY, bitmapOf(found.mask), PREVIEW_SLOT);
      context.marks.put(KEY, { box: drag.box, state: "drawing", ...markOf(context, found) });
    } catch {
      // Only a look ahead: letting go asks again and reports what is wrong.
    }
  };
  const click = (at: PointerInput): void => {
    const { width, height } = context.document;
    if (!proposals.current) context.say("Drag a box around one cell.");
    else if (!context.model.takesPoints) context.say("This model is guided by boxes only. Draw the box again, or keep the mask and repair it with the brush.");
    else if (at.x >= 0 && at.y >= 0 && at.x < width && at.y < height) proposals.refine({ x: at.x, y: at.y, positive: !at.alt });
  };

  return {
    cursor: "crosshair",
    subtracts: true,
    get dragging() {
      return drag !== null;
    },
    get pending() {
      return proposals.current;
    },
    get waiting() {
      return proposals.waiting;
    },
    settled: () => proposals.settled(),
    get hints() {
      if (drag) return [{ keys: "Let go", does: "ask the model" }, { keys: "Esc", does: "cancel" }];
      if (proposals.current) {
        const clicks = context.model.takesPoints ? [{ keys: "Click", does: "add" }, { keys: "Alt", does: "take away" }] : [];
        return [{ keys: "Drag", does: "keep, and next box" }, { keys: "Enter", does: "keep" }, { keys: "Esc", does: "drop" }, ...clicks];
      }
      if (proposals.waiting > 0) return [{ keys: "Drag", does: "next box" }, { keys: "Esc", does: "drop the waiting boxes" }];
      return [{ keys: "Drag", does: "box a cell" }, { keys: "Space", does: "pan" }, { keys: "B", does: "repair" }];
    },
    down(at) {
      proposals.forgetFailed();
      drag = { from: at, box: boxTo(at, at), seen: null, seenBox: null, control: new AbortController() };
    },
    move(at) {
      if (!drag) return;
      drag = { ...drag, box: boxTo(drag.from, at) };
      if (isDrag(drag.from, at)) context.marks.put(KEY, { box: drag.box, state: "drawing", ...markOf(context, drag.seen) });
    },
    rest() {
      if (drag && !drag.seenBox && boxWidth(drag.box) >= SMALLEST_LOOK && boxHeight(drag.box) >= SMALLEST_LOOK) void look(drag);
    },
    up(at) {
      if (!drag) return;
      const { from, seen, seenBox } = drag;
      const box = boxTo(from, at);
      endDrag();
      if (!isDrag(from, at)) click({ ...at, alt: from.alt });
      else if (boxWidth(box) < 2 || boxHeight(box) < 2) context.say("Drag a box around one cell.");
      else proposals.propose({ box, points: [] }, seenBox && boxEquals(box, seenBox) ? seen : null);
    },
    cancel() {
      if (!drag) return proposals.drop();
      endDrag();
      return true;
    },
    accept: () => proposals.accept(),
    back: () => proposals.back(),
    leave() {
      endDrag();
      proposals.accept();
    },
  };
}
