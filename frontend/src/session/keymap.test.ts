import { afterEach, expect, test } from "vitest";

import { TOOLS } from "../tools/registry";
import { type Action, LABEL_KEYS, belongsToFocus, clashes, keyCap, keyOf, listenForKeys } from "./keymap";

const press = (key: string, more: Partial<KeyboardEventInit> = {}): KeyboardEvent => new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });

let stop: () => void = () => undefined;
afterEach(() => {
  stop();
  document.body.replaceChildren();
});

function listening() {
  const ran: string[] = [];
  stop = listenForKeys({ run: (action) => ran.push(action), release: (action) => ran.push(`-${action}`) });
  return ran;
}

test("no key is claimed twice", () => {
  expect(clashes(LABEL_KEYS)).toEqual([]);
  expect(clashes({ one: { keys: ["a"] }, two: { keys: ["b", "a"] } })).toEqual(["a: one and two"]);
});

test("every tool has the key that its button shows", () => {
  const keys: Readonly<Record<string, { keys: readonly string[] }>> = LABEL_KEYS;
  expect(TOOLS.map(({ id }) => keys[`tool.${id}`].keys[0])).toEqual(TOOLS.map(({ key }) => key));
});

test.each<[string, Partial<KeyboardEventInit>, string]>([
  ["z", { ctrlKey: true }, "mod+z"],
  ["Z", { ctrlKey: true, shiftKey: true }, "mod+shift+z"],
  ["z", { metaKey: true }, "mod+z"],
  ["S", {}, "s"],
  ["+", { shiftKey: true }, "+"],
  [" ", {}, "space"],
  ["Tab", { shiftKey: true }, "shift+tab"],
])("%s with %j is %s", (key, more, expected) => {
  expect(keyOf(press(key, more))).toBe(expected);
});

test("CapsLock is harmless and held keys are let go", () => {
  const ran = listening();
  window.dispatchEvent(press("B"));
  window.dispatchEvent(press(" "));
  window.dispatchEvent(press(" ", { repeat: true }));
  window.dispatchEvent(new KeyboardEvent("keyup", { key: " " }));
  expect(ran).toEqual(["tool.brush", "hold.pan", "-hold.pan"] satisfies (Action | `-${Action}`)[]);
});

test("keys are dead inside inputs, and a focused button keeps its own", () => {
  const ran = listening();
  const input = document.body.appendChild(document.createElement("input"));
  input.dispatchEvent(press("b"));
  const button = document.body.appendChild(document.createElement("button"));
  button.dispatchEvent(press(" "));
  button.dispatchEvent(press("Tab"));
  button.dispatchEvent(press("z", { ctrlKey: true }));
  expect(ran).toEqual(["edit.undo"]);
  const slider = document.body.appendChild(document.createElement("input"));
  slider.type = "range";
  expect(belongsToFocus(slider, "arrowleft")).toBe(true);
  expect(belongsToFocus(slider, "b")).toBe(false);
});

test("key caps read as they are printed", () => {
  expect([keyCap("edit.redo"), keyCap("image.next"), keyCap("edit.cancel"), keyCap("brush.smaller")]).toEqual(["Ctrl Shift Z", "Ctrl →", "Esc", "["]);
});
