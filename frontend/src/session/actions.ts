import { messageOf } from "../api/errors";
import { type OperationId, type ToolId, isOperationId, isToolId, OPERATIONS, TOOLS, runOperation } from "../tools/registry";
import { OPTIONS } from "../tools/options";
import type { Tool } from "../tools/tool";
import { type GestureParts, listenForGestures } from "./gestures";
import type { ImageSession } from "./imageSession";
import type { Action } from "./keys/commands";
import { keyboard } from "./keys/keyboard";
import { listenForKeys } from "./keys/listen";

/** What the page itself does: it knows the router and the dialogs. */
export interface PageActions {
  openImage(id: string): void;
  /** No image is left: back to the project. */
  leave(): void;
  /** Where the browser is now. */
  address(): string;
  askSkip(): void;
  askNote(): void;
  showKeys(): void;
  /** Moves the keyboard's focus to the next (1) or previous (-1) part of the page. */
  goToPart(direction: 1 | -1): void;
}

const BRUSH_STEP = 1.25;
const ZOOM_STEP = 1.4;
/** Let go sooner, a held key was only tapped. */
const TAP_MS = 250;

export interface Hands {
  run(action: Action): void;
  /** Goes to another image. */
  open(id: string): void;
  /** Leaves the image for later and opens the next one. */
  skip(reason: string): void;
  /** Listens to keys until the returned function is called. */
  listenKeys(): () => void;
  /** Listens to the pointer over `area` until the returned function is called. */
  listenPointer(area: HTMLElement): () => void;
}

/** Binds keys and pointer to an open image. */
export function createHands(session: ImageSession, page: PageActions): Hands {
  const { view, tools, editing, frames, options } = session;
  const held = { space: false, alt: false };

  const chosenTool = (): Tool => tools[session.tool.get()];
  const activeTool = (): Tool => (held.space ? tools.pan : chosenTool());
  const choose = (id: ToolId): void => {
    session.putDownTool();
    session.tool.set(id);
    view.point(null, null, false);
  };
  /** Who has gone elsewhere before `ended` is not taken away from there. */
  const goOn = async <T>(ended: Promise<T>, go: (result: T) => void): Promise<void> => {
    const from = page.address();
    const result = await ended;
    if (page.address() === from) go(result);
  };
  const open = (id: string | null): void => {
    if (!id) return;
    goOn(session.finishBoxes(), () => page.openImage(id)).catch((error: unknown) => session.say(`The image stays open. ${messageOf(error)}`));
  };
  const resizeBrush = (factor: number): void => {
    const { min, max, step } = OPTIONS.radius;
    const { radius } = options.get();
    const next = Math.round((radius * factor) / step) * step;
    // A small brush grows by the smallest step at least.
    const moved = next === radius ? radius + Math.sign(factor - 1) * step : next;
    options.set({ ...options.get(), radius: Math.min(max, Math.max(min, moved)) });
  };
  const goToCheck = (direction: 1 | -1): void => {
    const cell = editing.nextToCheck(direction);
    if (cell) view.reveal(cell.box);
  };
  const changing = (change: () => void): void => {
    if (session.readOnly) session.say(session.readOnly);
    else change();
  };
  /** The next stroke draws a cell, wherever it begins; those after it go on with that cell. */
  const beginNew = (): void => {
    session.selection.set(new Set());
    if (session.tool.get() !== "polygon" && session.tool.get() !== "lasso") choose("brush");
    options.lend({ paintsInto: "new" });
  };
  const operate = (id: OperationId): void => {
    const { changes } = OPERATIONS.find((operation) => operation.id === id) ?? { changes: true };
    const run = (): void => void runOperation(id, session.toolContext).catch((error: unknown) => session.say(messageOf(error)));
    if (changes) changing(run);
    else run();
  };
  const finish = (ended: ReturnType<typeof session.queue.submit>): void =>
    void goOn(ended, (queue) => {
      if (queue?.next) page.openImage(queue.next.image.id);
      else if (queue) page.leave();
    });
  const stepFrame = (direction: 1 | -1): void => {
    const { previous, next } = session.image.get();
    if (frames.index !== null) open(frames.beside(direction));
    else open(direction === 1 ? next : previous);
  };
  const save = (): void => {
    session.autosave.retryNow();
    session.say(session.saved.get().words);
  };
  const back = (): void => {
    if (!chosenTool().back?.()) changing(editing.deleteSelected);
  };

  const simple: Readonly<Partial<Record<Action, () => void>>> = {
    "tool.swap": () => choose(session.tool.get() === "brush" ? "erase" : "brush"),
    "brush.smaller": () => resizeBrush(1 / BRUSH_STEP),
    "brush.larger": () => resizeBrush(BRUSH_STEP),
    "edit.undo": () => {
      if (!chosenTool().back?.()) changing(editing.undo);
    },
    "edit.redo": () => changing(editing.redo),
    "edit.delete": () => changing(editing.deleteSelected),
    "edit.back": back,
    "edit.accept": () => {
      if (!chosenTool().accept?.()) changing(editing.acceptSelected);
    },
    "edit.cancel": () => {
      if (!activeTool().cancel() && !options.giveBack() && session.selection.get().size > 0) session.selection.set(new Set());
    },
    "cells.new": () => changing(beginNew),
    "cells.next": () => goToCheck(1),
    "cells.previous": () => goToCheck(-1),
    "cells.highlight": () => session.setSeeing({ highlight: !session.seeing.get().highlight }),
    "view.in": () => view.zoomBy(ZOOM_STEP),
    "view.out": () => view.zoomBy(1 / ZOOM_STEP),
    "view.fit": () => view.fit(),
    "view.outlines": () => session.setSeeing({ outlines: !session.seeing.get().outlines }),
    "view.colour-by": session.nextColour,
    "view.next-channel": () => session.looks.step(1),
    "view.previous-channel": () => session.looks.step(-1),
    "view.grey": () => session.setSeeing({ grey: !session.seeing.get().grey }),
    "view.invert": () => session.setSeeing({ invert: !session.seeing.get().invert }),
    "view.reset": () => session.looks.auto(),
    "frame.previous": () => stepFrame(-1),
    "frame.next": () => stepFrame(1),
    "frame.copy": () => open(frames.carryToNext([...session.selection.get()].flatMap((id) => session.document.get(id) ?? []))),
    "image.previous": () => open(session.image.get().previous),
    "image.next": () => open(session.image.get().next),
    "image.save": save,
    "image.submit": () => changing(() => finish(session.queue.submit())),
    "image.skip": () => changing(page.askSkip),
    "note.write": page.askNote,
    "help.keys": page.showKeys,
    "page.next-part": () => page.goToPart(1),
    "page.previous-part": () => page.goToPart(-1),
    "hold.pan": () => {
      held.space = true;
    },
    "hold.peek": () => session.setSeeing({ peek: true }),
    "hold.subtract": () => {
      held.alt = true;
    },
  };
  const run = (action: Action): void => {
    const [kind, id] = [action.slice(0, action.indexOf(".")), action.slice(action.indexOf(".") + 1)];
    if (kind === "tool" && isToolId(id)) choose(id);
    else if (kind === "op" && isOperationId(id)) operate(id);
    else if (kind === "class") changing(() => session.classes.press(Number(id)));
    else simple[action]?.();
  };
  const release = (action: Action, heldMs: number): void => {
    if (action === "hold.pan") held.space = false;
    if (action === "hold.subtract") held.alt = false;
    if (action === "hold.peek") {
      session.setSeeing({ peek: false });
      if (heldMs < TAP_MS) session.toggleFill();
    }
  };

  const gestures: GestureParts = {
    view,
    activeTool,
    stepFrame,
    panTool: () => tools.pan,
    blocked() {
      const changes = TOOLS.find(({ id }) => id === session.tool.get())?.changes ?? true;
      if (!session.readOnly || !changes || held.space) return false;
      session.say(session.readOnly);
      return true;
    },
    brushAt(alt) {
      const id = session.tool.get();
      if (held.space || (id !== "brush" && id !== "erase")) return null;
      return { radius: options.get().radius, subtracts: id === "erase" || alt || held.alt };
    },
  };

  return {
    run,
    open,
    skip: (reason) => finish(session.queue.skip(reason)),
    listenKeys: () =>
      listenForKeys({
        bindings: () => keyboard.bindings.get(),
        situation: () => ({ gesture: chosenTool().pending ?? false, stack: frames.index !== null }),
        run,
        release,
      }),
    listenPointer: (area) => listenForGestures(area, gestures),
  };
}
