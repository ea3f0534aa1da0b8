import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { PreferencesDocument } from "../../api/preferences";
import { TOOLS } from "../../tools/registry";
import type { Preferences } from "../preferences";
import { createValue } from "../value";
import { capOf, chordOf, refusal } from "./chords";
import { clashes } from "./clashes";
import { ACTIONS, type Action, COMMANDS, scopesMeet } from "./commands";
import { createKeyboard } from "./keyboard";
import { belongsToFocus, listenForKeys } from "./listen";
import { PRESET_IDS, bindingsOf } from "./presets";

/** The test's DOM takes Alt for AltGr, so each press says itself whether AltGr is down. */
function press(key: string, more: Partial<KeyboardEventInit> = {}, graph = false): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, code: key, bubbles: true, cancelable: true, ...more });
  return Object.assign(event, { getModifierState: (name: string) => graph && name === "AltGraph" });
}

let stop: () => void = () => undefined;
afterEach(() => {
  stop();
  stop = () => undefined;
  document.body.replaceChildren();
});

function listening(situation = { gesture: false, stack: false }, bindings = bindingsOf("cellloop", {})) {
  const ran: string[] = [];
  stop = listenForKeys({
    bindings: () => bindings,
    situation: () => situation,
    run: (action) => ran.push(action),
    release: (action) => ran.push(`-${action}`),
  });
  return ran;
}

describe("presets", () => {
  test.each(PRESET_IDS)("%s: no two commands that can be alive together share a chord", (preset) => {
    expect(clashes(bindingsOf(preset, {}))).toEqual([]);
  });

  test.each(PRESET_IDS)("%s: every command but rare operations has a key, and none is the browser's", (preset) => {
    const bindings = bindingsOf(preset, {});
    expect(ACTIONS.filter((action) => bindings[action].length === 0 && !action.startsWith("op."))).toEqual([]);
    const own = ACTIONS.filter((action) => action !== "hold.subtract").flatMap((action) => bindings[action]);
    expect(own.filter((chord) => refusal(chord))).toEqual([]);
  });

  test("a clash is found where scopes meet and only there", () => {
    expect(clashes(bindingsOf("cellloop", { "view.fit": ["b"] }))).toEqual(["b: tool.brush and view.fit"]);
    expect(bindingsOf("cellloop", {})["edit.back"]).toEqual(["backspace"]);
    expect(bindingsOf("cellloop", {})["edit.delete"]).toContain("backspace");
    expect(scopesMeet("gesture", "resting")).toBe(false);
    expect(scopesMeet("stack", "resting")).toBe(true);
  });

  test("every tool has the key that its registry names", () => {
    expect(TOOLS.map(({ id }) => COMMANDS[`tool.${id}`].keys[0])).toEqual(TOOLS.map(({ key }) => key));
  });

  test("the browser's own chords are refused with a sentence", () => {
    expect(["mod+w", "mod+t", "mod+n", "mod+h"].filter((chord) => !refusal(chord))).toEqual([]);
    expect(refusal("mod+w")).toBe("Ctrl W belongs to the browser.");
    expect(refusal("alt")).toBe("A modifier alone is no key.");
    expect(refusal("shift+s")).toBeNull();
  });
});

describe("chords", () => {
  test.each<[string, Partial<KeyboardEventInit>, string]>([
    ["z", { ctrlKey: true }, "mod+z"],
    ["Z", { ctrlKey: true, shiftKey: true }, "mod+shift+z"],
    ["z", { metaKey: true }, "mod+z"],
    ["S", {}, "s"],
    ["s", { shiftKey: true }, "shift+s"],
    ["+", { shiftKey: true }, "+"],
    ["?", { shiftKey: true }, "?"],
    [" ", {}, "space"],
    ["Tab", { shiftKey: true }, "shift+tab"],
    ["Alt", { altKey: true, code: "AltLeft" }, "alt"],
    ["ы", { code: "KeyS" }, "s"],
    ["ß", { altKey: true, code: "KeyS" }, "alt+s"],
    ["ArrowLeft", { ctrlKey: true }, "mod+arrowleft"],
  ])("%s with %j is %s", (key, more, expected) => {
    expect(chordOf(press(key, more))).toBe(expected);
  });

  test("AltGr makes a symbol and is no modifier", () => {
    expect(chordOf(press("[", { altKey: true, ctrlKey: true }, true))).toBe("[");
  });

  test("key caps read as they are printed", () => {
    expect(["mod+shift+z", "mod+arrowright", "escape", "[", "+", "mod++"].map(capOf)).toEqual(["Ctrl Shift Z", "Ctrl →", "Esc", "[", "+", "Ctrl +"]);
  });
});

describe("listening", () => {
  test("CapsLock is harmless, and held keys are let go once", () => {
    const ran = listening();
    window.dispatchEvent(press("B"));
    window.dispatchEvent(press(" ", { code: "Space" }));
    window.dispatchEvent(press(" ", { code: "Space", repeat: true }));
    window.dispatchEvent(new KeyboardEvent("keyup", { key: " ", code: "Space" }));
    expect(ran).toEqual(["tool.brush", "hold.pan", "-hold.pan"]);
  });

  test("two keys are held at once, and all come up when the window is left", () => {
    const ran = listening();
    window.dispatchEvent(press("z", { code: "KeyZ" }));
    window.dispatchEvent(press(" ", { code: "Space" }));
    window.dispatchEvent(new KeyboardEvent("keyup", { key: "Z", code: "KeyZ", shiftKey: true }));
    window.dispatchEvent(new Event("blur"));
    expect(ran).toEqual(["hold.peek", "hold.pan", "-hold.peek", "-hold.pan"]);
  });

  test("one key means the last point in a gesture and the selected cells outside of one", () => {
    const ran = listening({ gesture: true, stack: false });
    window.dispatchEvent(press("Backspace"));
    stop();
    const later = listening();
    window.dispatchEvent(press("Backspace"));
    expect([...ran, ...later]).toEqual(["edit.back", "edit.delete"]);
  });

  test("keys are dead inside inputs and dialogs, and a focused button keeps its own", () => {
    const ran = listening();
    const inside = (html: string): Element => {
      const frame = document.body.appendChild(document.createElement("div"));
      frame.innerHTML = html;
      const [element] = frame.querySelectorAll("[data-here]");
      return element;
    };
    const dead = ["<input data-here>", "<textarea data-here></textarea>", "<select data-here></select>", "<p contenteditable data-here></p>", '<div role="dialog"><p data-here></p></div>'];
    for (const html of dead) inside(html).dispatchEvent(press("b"));
    const button = inside("<button data-here></button>");
    button.dispatchEvent(press(" "));
    button.dispatchEvent(press("Tab"));
    button.dispatchEvent(press("z", { ctrlKey: true }));
    expect(ran).toEqual(["edit.undo"]);
    const slider = inside('<input type="range" data-here>');
    expect(belongsToFocus(slider, "arrowleft")).toBe(true);
    expect(belongsToFocus(slider, "b")).toBe(false);
  });

  test("keys are dead while a dialog lies over the page, wherever the focus is", () => {
    const ran = listening();
    const dialog = document.body.appendChild(document.createElement("section"));
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-modal", "true");
    document.body.dispatchEvent(press("b"));
    expect(ran).toEqual([]);
    dialog.remove();
    document.body.dispatchEvent(press("b"));
    expect(ran).toEqual(["tool.brush"]);
  });

  test("a key that was held when a dialog came is let go", () => {
    const ran = listening();
    window.dispatchEvent(press(" ", { code: "Space" }));
    document.body.appendChild(document.createElement("section")).setAttribute("aria-modal", "true");
    window.dispatchEvent(new KeyboardEvent("keyup", { key: " ", code: "Space" }));
    expect(ran).toEqual(["hold.pan", "-hold.pan"]);
  });
});

describe("rebinding", () => {
  const stored = createValue<PreferencesDocument>({ keys: { preset: "cellloop", overrides: {} }, looks: {} });
  const preferences: Preferences = {
    document: stored,
    saved: createValue(true),
    change: ({ keys }) => stored.set({ ...stored.get(), keys: keys ?? stored.get().keys }),
    sync: () => Promise.resolve(),
    dispose: vi.fn(),
  };
  const following = () => {
    const keyboard = createKeyboard();
    keyboard.follow(preferences);
    return keyboard;
  };
  beforeEach(() => stored.set({ keys: { preset: "cellloop", overrides: {} }, looks: {} }));

  test("a chord is taken from whoever had it, and the choice is kept", () => {
    const keyboard = following();
    expect(keyboard.conflicts("tool.brush", "o")).toEqual(["view.outlines"] satisfies Action[]);
    keyboard.bind("tool.brush", ["o"]);
    const again = following().bindings.get();
    expect([again["tool.brush"], again["view.outlines"]]).toEqual([["o"], []]);
    expect(clashes(again)).toEqual([]);
  });

  test("resetting one command gives it back its key, and resetting all gives back everything", () => {
    const keyboard = following();
    keyboard.bind("tool.brush", ["o"]);
    keyboard.bind("view.fit", ["b"]);
    keyboard.reset("tool.brush");
    expect(keyboard.bindings.get()["tool.brush"]).toEqual(["b"]);
    expect(keyboard.bindings.get()["view.fit"]).toEqual([]);
    expect(clashes(keyboard.bindings.get())).toEqual([]);
    keyboard.reset();
    expect(keyboard.bindings.get()).toEqual(bindingsOf("cellloop", {}));
  });

  test("another preset keeps what was changed by hand", () => {
    const keyboard = following();
    keyboard.bind("tool.brush", ["q"]);
    keyboard.choosePreset("cellpose");
    expect(keyboard.bindings.get()["tool.brush"]).toEqual(["q"]);
    expect(keyboard.bindings.get()["view.outlines"]).toEqual(["z"]);
  });

  test("commands and chords of another version are left out", () => {
    stored.set({ keys: { preset: "cellloop", overrides: { "tool.gone": ["b"], "view.fit": ["mod+w", "home"] } }, looks: {} });
    const keyboard = following();
    expect(keyboard.choice.get()).toEqual({ preset: "cellloop", overrides: { "view.fit": ["home"] } });
  });
});
