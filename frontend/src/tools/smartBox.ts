import type { Box } from "../document/box";
import { boxEquals } from "../document/box";
import { promptCell } from "../document/commands";
import { PREVIEW_SLOT } from "../document/labelMap";
import { bitmapOf } from "../document/mask";
import { cellArea } from "../document/patch";
import type { DecodedMask, PointerInput, Tool, ToolContext } from "./tool";
import { CLICK_SLACK } from "./tool";

interface Drag {
  readonly key: string;
  readonly from: PointerInput;
  readonly box: Box;
  /** The mask for `seenBox`, asked for while the hand rested. */
  readonly seen: DecodedMask | null;
  readonly seenBox: Box | null;
  readonly control: AbortController;
}

/** S: drag a box around one cell and let go: the mask is kept when it comes, and the next box need not wait for it. */
export function createSmartBox(context: ToolContext): Tool {
  let drag: Drag | null = null;
  let boxes = 0;
  const waiting = new Map<string, AbortController>();
  const failed = new Set<string>();

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
  const tagOf = ({ score, mask }: DecodedMask): string => `${score.toFixed(2)}  ${context.area(cellArea(mask))}`;
  const forget = (key: string): void => {
    waiting.delete(key);
    context.marks.drop(key);
    context.preview.drop(key);
  };
  const dropFailed = (): void => {
    for (const key of failed) context.marks.drop(key);
    failed.clear();
  };

  const keep = (key: string, found: DecodedMask): void => {
    forget(key);
    const id = context.newId();
    const cell = { id, score: found.score, model_version: found.modelVersion };
    const patch = promptCell(context.document, found.mask, cell);
    const [drawn] = [...patch.added, ...patch.updated.map(({ after }) => after)];
    if (!drawn) {
      context.say("Nothing new in that box: its pixels belong to other cells.");
      return;
    }
    context.commit(patch, `Cell ${drawn.label} ${patch.added.length > 0 ? "added" : "redrawn"}`);
    context.selection.set([drawn.id]);
  };

  const ask = async (key: string, box: Box, control: AbortController): Promise<void> => {
    waiting.set(key, control);
    context.marks.put(key, { box, state: "waiting", tag: "" });
    try {
      const found = await context.decode(box, control.signal, (words) => context.marks.put(key, { box, state: "waiting", tag: words }));
      if (!control.signal.aborted) keep(key, found);
    } catch (error) {
      if (control.signal.aborted) return;
      forget(key);
      failed.add(key);
      context.marks.put(key, { box, state: "failed", tag: "No mask" });
      context.say(error instanceof Error ? error.message : "No mask came back. The box can be drawn again.");
    }
  };

  /** What the mask would be if the hand let go now. */
  const look = async (now: Drag): Promise<void> => {
    const box = now.box;
    try {
      const found = await context.decode(box, now.control.signal, () => undefined);
      if (drag?.key !== now.key) return;
      drag = { ...drag, seen: found, seenBox: box };
      context.preview.drop(now.key);
      context.preview.add(now.key, bitmapOf(found.mask), PREVIEW_SLOT);
      context.marks.put(now.key, { box: drag.box, state: "drawing", tag: tagOf(found) });
    } catch {
      // Only a look ahead: letting go asks again and reports what is wrong.
    }
  };

  const isBox = (from: PointerInput, to: PointerInput, box: Box): boolean =>
    Math.hypot(to.screenX - from.screenX, to.screenY - from.screenY) > CLICK_SLACK && box[2] - box[0] >= 2 && box[3] - box[1] >= 2;

  return {
    cursor: "crosshair",
    get dragging() {
      return drag !== null;
    },
    get hints() {
      if (drag) return [{ keys: "Let go", does: "keep" }, { keys: "Esc", does: "cancel" }];
      if (waiting.size > 0) return [{ keys: "Drag", does: "next box" }, { keys: "Esc", does: "drop the waiting box" }];
      return [{ keys: "Drag", does: "box a cell" }, { keys: "Space", does: "pan" }, { keys: "B", does: "repair" }];
    },
    down(at) {
      dropFailed();
      boxes += 1;
      drag = { key: `box-${boxes}`, from: at, box: boxTo(at, at), seen: null, seenBox: null, control: new AbortController() };
    },
    move(at) {
      if (!drag) return;
      drag = { ...drag, box: boxTo(drag.from, at) };
      context.marks.put(drag.key, { box: drag.box, state: "drawing", tag: drag.seen ? tagOf(drag.seen) : "" });
    },
    rest() {
      if (drag && !drag.seenBox && drag.box[2] - drag.box[0] >= 6 && drag.box[3] - drag.box[1] >= 6) void look(drag);
    },
    up(at) {
      if (!drag) return;
      const { key, from, seen, seenBox, control } = drag;
      const box = boxTo(from, at);
      drag = null;
      if (!isBox(from, at, box)) {
        forget(key);
        context.say("Drag a box around one cell.");
      } else if (seen && seenBox && boxEquals(box, seenBox)) {
        keep(key, seen);
      } else {
        control.abort();
        context.preview.drop(key);
        void ask(key, box, new AbortController());
      }
    },
    cancel() {
      if (drag) {
        drag.control.abort();
        forget(drag.key);
        drag = null;
        return true;
      }
      const busy = waiting.size + failed.size > 0;
      for (const [key, control] of [...waiting]) {
        control.abort();
        forget(key);
      }
      dropFailed();
      return busy;
    },
  };
}
