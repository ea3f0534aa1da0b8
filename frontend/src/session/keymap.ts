/** One registry of keys for the labelling page: what each does is said once and shown wherever the action is. */
export const LABEL_KEYS = {
  "tool.select": { keys: ["v"], does: "Select" },
  "tool.smart-box": { keys: ["s"], does: "Smart box" },
  "tool.brush": { keys: ["b"], does: "Brush" },
  "tool.erase": { keys: ["e"], does: "Erase" },
  "tool.pan": { keys: ["h"], does: "Pan" },
  "tool.swap": { keys: ["x"], does: "Swap brush and erase" },
  "hold.pan": { keys: ["space"], does: "Pan while held" },
  "hold.peek": { keys: ["z"], does: "Look at the raw image while held" },
  "brush.smaller": { keys: ["["], does: "Smaller brush" },
  "brush.larger": { keys: ["]"], does: "Larger brush" },
  "edit.undo": { keys: ["mod+z"], does: "Undo" },
  "edit.redo": { keys: ["mod+shift+z", "mod+y"], does: "Redo" },
  "edit.delete": { keys: ["delete", "backspace"], does: "Delete the selected cells" },
  "edit.accept": { keys: ["enter"], does: "Mark the selected cells as checked" },
  "edit.cancel": { keys: ["escape"], does: "One step back" },
  "cells.next": { keys: ["tab"], does: "Next cell to check" },
  "cells.previous": { keys: ["shift+tab"], does: "Previous cell to check" },
  "view.in": { keys: ["=", "+"], does: "Zoom in" },
  "view.out": { keys: ["-"], does: "Zoom out" },
  "view.fit": { keys: ["home"], does: "Fit the image" },
  "view.outlines": { keys: ["o"], does: "Outlines on or off" },
  "image.previous": { keys: ["mod+arrowleft"], does: "Previous image" },
  "image.next": { keys: ["mod+arrowright"], does: "Next image" },
  "image.submit": { keys: ["mod+enter"], does: "Submit and open the next image" },
} as const satisfies Readonly<Record<string, { keys: readonly string[]; does: string }>>;

export type Action = keyof typeof LABEL_KEYS;

type KeyTable = Readonly<Record<string, { readonly keys: readonly string[] }>>;

/** Keys that two actions claim. */
export function clashes(table: KeyTable): string[] {
  const owners = new Map<string, string>();
  const found: string[] = [];
  for (const [action, { keys }] of Object.entries(table)) {
    for (const key of keys) {
      const owner = owners.get(key);
      if (owner !== undefined) found.push(`${key}: ${owner} and ${action}`);
      owners.set(key, action);
    }
  }
  return found;
}

type KeyPress = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">;

/** "mod+shift+z" for an event. Letters are lower-cased, so CapsLock changes nothing; Shift is part of a symbol's own key. */
export function keyOf(event: KeyPress): string {
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  const symbol = key.length === 1 && key.toUpperCase() === key;
  const parts = [event.ctrlKey || event.metaKey ? "mod" : "", event.altKey ? "alt" : "", event.shiftKey && !symbol ? "shift" : "", key];
  return parts.filter(Boolean).join("+");
}

const TEXT_INPUTS = "input:not([type=range]):not([type=checkbox]):not([type=radio]):not([type=color]), textarea, select, [contenteditable=true]";
const CONTROLS = "button, a[href], input, [role=slider], [role=tab], [role=switch], [role=option], [role=menuitem]";
/** Keys that a focused control uses itself. */
const CONTROL_KEYS = new Set(["space", "enter", "tab", "shift+tab", "home", "end", "delete", "backspace"]);

/** Whether a key press belongs to what has the focus, not to the page. */
export function belongsToFocus(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest(TEXT_INPUTS)) return true;
  return target.closest(CONTROLS) !== null && (CONTROL_KEYS.has(key) || key.startsWith("arrow"));
}

export interface KeyHandlers {
  run(action: Action): void;
  /** A held key came up again. */
  release(action: Action): void;
}

/** Listens on the window; returns how to stop. */
export function listenForKeys(handlers: KeyHandlers): () => void {
  const actions = new Map<string, Action>();
  for (const [action, { keys }] of Object.entries(LABEL_KEYS)) for (const key of keys) actions.set(key, action as Action);
  let held: Action | null = null;

  const letGo = (): void => {
    if (held) handlers.release(held);
    held = null;
  };
  const onDown = (event: KeyboardEvent): void => {
    const key = keyOf(event);
    const action = actions.get(key);
    if (!action || event.isComposing || belongsToFocus(event.target, key)) return;
    event.preventDefault();
    if (action.startsWith("hold.")) {
      if (event.repeat) return;
      letGo();
      held = action;
    }
    handlers.run(action);
  };
  const onUp = (event: KeyboardEvent): void => {
    if (held && (LABEL_KEYS[held].keys as readonly string[]).includes(event.key === " " ? "space" : event.key.toLowerCase())) letGo();
  };
  window.addEventListener("keydown", onDown);
  window.addEventListener("keyup", onUp);
  // A key let go in another window never comes up here.
  window.addEventListener("blur", letGo);
  return () => {
    window.removeEventListener("keydown", onDown);
    window.removeEventListener("keyup", onUp);
    window.removeEventListener("blur", letGo);
  };
}

/** A key as it is written on a key cap. */
export function keyCap(action: Action): string {
  const names: Record<string, string> = { mod: "Ctrl", escape: "Esc", delete: "Del", arrowleft: "←", arrowright: "→" };
  const parts = LABEL_KEYS[action].keys[0].split("+");
  return parts.map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part[0].toUpperCase() + part.slice(1))).join(" ");
}
