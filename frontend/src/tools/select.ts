import { deleteCells } from "../document/commands";
import { selectedCell } from "./drawing";
import { merge, otherAt } from "./merge";
import type { Tool, ToolContext, PointerInput } from "./tool";
import { CLICK_SLACK } from "./tool";

/** V: click picks a cell (again: the one below it), Shift picks more, Alt merges, Ctrl deletes, a drag moves the image. */
export function createSelect(context: ToolContext): Tool {
  let from: PointerInput | null = null;
  let last: PointerInput | null = null;
  let panning = false;

  const pick = (at: PointerInput): void => {
    const { selection } = context;
    const here = context.document.at(Math.floor(at.x), Math.floor(at.y));
    if (here.length === 0) {
      if (!at.shift && !at.mod) selection.set([]);
      if (at.clicks === 2) context.view.fit();
      return;
    }
    if (at.alt) {
      const [first, clicked] = [selectedCell(context), otherAt(context, at)];
      if (first && clicked) merge(context, [first.id, clicked.id]);
      else context.say("Select the cell to keep, then Alt+click the one that joins it.");
      return;
    }
    if (at.mod) {
      context.commit(deleteCells(context.document, [here[0].id]), `Cell ${here[0].label} deleted`);
      context.say(`Cell ${here[0].label} deleted`);
      return;
    }
    if (at.shift) {
      const next = new Set(selection.ids);
      if (!next.delete(here[0].id)) next.add(here[0].id);
      selection.set(next);
      return;
    }
    const current = selection.ids.size === 1 ? here.findIndex((cell) => selection.ids.has(cell.id)) : -1;
    selection.set([here[(current + 1) % here.length].id]);
  };

  return {
    get cursor() {
      return panning ? "grabbing" : "default";
    },
    get dragging() {
      return panning;
    },
    get hints() {
      if (context.selection.ids.size === 0) return [{ keys: "Click", does: "select" }, { keys: "Drag", does: "pan" }, { keys: "Tab", does: "next to check" }];
      return [{ keys: "Del", does: "delete" }, { keys: "Enter", does: "mark as checked" }, { keys: "Shift", does: "select more" }, { keys: "Alt", does: "merge" }, { keys: "Esc", does: "deselect" }];
    },
    down(at) {
      [from, last, panning] = [at, at, false];
    },
    move(at) {
      if (!from || !last) return;
      panning ||= Math.hypot(at.screenX - from.screenX, at.screenY - from.screenY) > CLICK_SLACK;
      if (panning) {
        context.view.panBy(at.screenX - last.screenX, at.screenY - last.screenY);
        last = at;
      }
    },
    up(at) {
      if (from && !panning) pick({ ...at, clicks: from.clicks, alt: from.alt });
      [from, last, panning] = [null, null, false];
    },
    cancel() {
      const busy = from !== null;
      [from, last, panning] = [null, null, false];
      return busy;
    },
  };
}
