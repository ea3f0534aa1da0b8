import type { ToolId } from "../tools/registry";
import { isToolId } from "../tools/registry";
import type { Tool } from "../tools/tool";
import { type GestureParts, listenForGestures } from "./gestures";
import { type ImageSession, LARGEST_BRUSH, SMALLEST_BRUSH } from "./imageSession";
import { type Action, listenForKeys } from "./keymap";

/** What the page itself does: it knows the router. */
export interface PageActions {
  openImage(id: string | null): void;
  readonly submit: () => void;
}

const CHANGING: readonly ToolId[] = ["smart-box", "brush", "erase"];
const BRUSH_STEP = 1.25;
const ZOOM_STEP = 1.4;

export interface Hands {
  run(action: Action): void;
  /** Listens to keys and to the pointer over `area` until the returned function is called. */
  listen(area: HTMLElement): () => void;
}

/** Binds keys and pointer to an open image. */
export function createHands(session: ImageSession, page: PageActions): Hands {
  const { view, tools, editing } = session;
  let spaceHeld = false;

  const activeTool = (): Tool => (spaceHeld ? tools.pan : tools[session.tool.get()]);
  const choose = (id: ToolId): void => {
    tools[session.tool.get()].cancel();
    session.tool.set(id);
    view.point(null, null, false);
  };
  const resizeBrush = (factor: number): void => {
    const next = session.brushRadius.get() * factor;
    session.brushRadius.set(Math.min(LARGEST_BRUSH, Math.max(SMALLEST_BRUSH, Math.round(next * 2) / 2 + (factor > 1 && next < 2 ? 0.5 : 0))));
  };
  const goToCheck = (direction: 1 | -1): void => {
    const cell = editing.nextToCheck(direction);
    if (cell) view.reveal(cell.box);
  };
  const changing = (change: () => void): void => {
    if (session.readOnly) session.say(session.readOnly);
    else change();
  };

  const simple: Partial<Record<Action, () => void>> = {
    "tool.swap": () => choose(session.tool.get() === "brush" ? "erase" : "brush"),
    "brush.smaller": () => resizeBrush(1 / BRUSH_STEP),
    "brush.larger": () => resizeBrush(BRUSH_STEP),
    "edit.undo": () => changing(editing.undo),
    "edit.redo": () => changing(editing.redo),
    "edit.delete": () => changing(editing.deleteSelected),
    "edit.accept": () => changing(editing.acceptSelected),
    "edit.cancel": () => {
      if (!activeTool().cancel() && session.selection.get().size > 0) session.selection.set(new Set());
    },
    "cells.next": () => goToCheck(1),
    "cells.previous": () => goToCheck(-1),
    "view.in": () => view.zoomBy(ZOOM_STEP),
    "view.out": () => view.zoomBy(1 / ZOOM_STEP),
    "view.fit": () => view.fit(),
    "view.outlines": () => view.labels.set({ ...view.labels.get(), outlines: !view.labels.get().outlines }),
    "image.previous": () => page.openImage(session.image.get().previous),
    "image.next": () => page.openImage(session.image.get().next),
    "image.submit": () => changing(page.submit),
    "hold.pan": () => {
      spaceHeld = true;
    },
    "hold.peek": () => view.labels.set({ ...view.labels.get(), hidden: true }),
  };
  const run = (action: Action): void => {
    const id = action.replace("tool.", "");
    if (action.startsWith("tool.") && isToolId(id)) choose(id);
    else simple[action]?.();
  };

  const gestures: GestureParts = {
    view,
    activeTool,
    panTool: () => tools.pan,
    blocked() {
      if (!session.readOnly || !CHANGING.includes(session.tool.get()) || spaceHeld) return false;
      session.say(session.readOnly);
      return true;
    },
    brushAt(alt) {
      const id = session.tool.get();
      if (spaceHeld || (id !== "brush" && id !== "erase")) return null;
      return { radius: session.brushRadius.get(), subtracts: id === "erase" || alt };
    },
  };

  return {
    run,
    listen(area) {
      const stopKeys = listenForKeys({
        run,
        release(action) {
          if (action === "hold.pan") spaceHeld = false;
          if (action === "hold.peek") view.labels.set({ ...view.labels.get(), hidden: false });
        },
      });
      const stopGestures = listenForGestures(area, gestures);
      return () => {
        stopKeys();
        stopGestures();
      };
    },
  };
}
