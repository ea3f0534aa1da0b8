import { type Action, ACTIONS, COMMANDS, type Situation, scopeHolds } from "./commands";
import { chordOf } from "./chords";
import type { Bindings } from "./presets";

const TEXT_INPUTS =
  "input:not([type=range]):not([type=checkbox]):not([type=radio]):not([type=color]), textarea, select, [contenteditable]:not([contenteditable=false])";
/** What lies over the page has the keyboard to itself. */
const OVER_THE_PAGE = "[role=dialog], [role=menu], [role=listbox]";
const CONTROLS = "button, a[href], input, [role=slider], [role=tab], [role=switch], [role=option], [role=menuitem]";
/** Keys that a focused control uses itself. */
const CONTROL_KEYS = new Set(["space", "enter", "tab", "shift+tab", "home", "end", "delete", "backspace"]);

/** Parts that leave the keys to the page. Who came there with Tab must be able to go on with it (WCAG 2.1.2). */
const PASSES_KEYS_ON = "[data-page-keys]";

/** A dialog has it wherever the focus is: what had the focus may have gone. */
const isDialogOpen = (): boolean => document.querySelector("[aria-modal=true]") !== null;

/** Whether a key press belongs to what has the focus, not to the page. */
export function belongsToFocus(target: EventTarget | null, chord: string): boolean {
  if (!(target instanceof Element)) return false;
  if (target.matches(PASSES_KEYS_ON)) return (chord === "tab" || chord === "shift+tab") && target.matches(":focus-visible");
  if (target.closest(TEXT_INPUTS) || target.closest(OVER_THE_PAGE)) return true;
  return target.closest(CONTROLS) !== null && (CONTROL_KEYS.has(chord) || chord.startsWith("arrow"));
}

/** Copying words of the page is not copying cells. */
const copiesText = (chord: string): boolean => chord === "mod+c" && window.getSelection()?.isCollapsed === false;

export interface KeyHandlers {
  bindings(): Bindings;
  situation(): Situation;
  run(action: Action): void;
  /** A held key came up again, `heldMs` after it went down. */
  release(action: Action, heldMs: number): void;
}

/** Listens on the window; returns how to stop. */
export function listenForKeys(handlers: KeyHandlers): () => void {
  /** Held keys by their place: Shift that came or went meanwhile gives the same key another name. */
  const held = new Map<string, { action: Action; since: number }>();

  const actionFor = (chord: string): Action | undefined => {
    const bindings = handlers.bindings();
    const now = handlers.situation();
    return ACTIONS.find((action) => bindings[action].includes(chord) && scopeHolds(COMMANDS[action].scope, now));
  };
  const letGo = (code: string, at: number): void => {
    const done = held.get(code);
    held.delete(code);
    if (done) handlers.release(done.action, at - done.since);
  };
  const onDown = (event: KeyboardEvent): void => {
    const chord = chordOf(event);
    if (event.isComposing || event.defaultPrevented || isDialogOpen() || belongsToFocus(event.target, chord) || copiesText(chord)) return;
    const action = actionFor(chord);
    if (!action) return;
    event.preventDefault();
    if (COMMANDS[action].hold) {
      if (event.repeat) return;
      letGo(event.code, event.timeStamp);
      held.set(event.code, { action, since: event.timeStamp });
    }
    handlers.run(action);
  };
  const onUp = (event: KeyboardEvent): void => letGo(event.code, event.timeStamp);
  // A key let go in another window never comes up here.
  const onBlur = (event: Event): void => {
    for (const code of [...held.keys()]) letGo(code, event.timeStamp);
  };
  window.addEventListener("keydown", onDown);
  window.addEventListener("keyup", onUp);
  window.addEventListener("blur", onBlur);
  return () => {
    window.removeEventListener("keydown", onDown);
    window.removeEventListener("keyup", onUp);
    window.removeEventListener("blur", onBlur);
  };
}
