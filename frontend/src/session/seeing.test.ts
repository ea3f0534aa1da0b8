import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { PreferencesDocument } from "../api/preferences";
import type { LabelLook } from "../render/labelLayer";
import { OPTIONS } from "../tools/options";
import { createOptions } from "./options";
import { createPreferences } from "./preferences";
import { createSeeing } from "./seeing";
import { createValue } from "./value";

let onServer: PreferencesDocument;
let online: boolean;
let puts: number;

beforeEach(() => {
  vi.useFakeTimers();
  onServer = { keys: { preset: "cellloop", overrides: {} }, looks: {} };
  online = true;
  puts = 0;
  vi.stubGlobal("fetch", async (request: Request) => {
    if (!online) throw new TypeError("no connection");
    if (request.method === "PUT") {
      puts += 1;
      onServer = (await request.json()) as PreferencesDocument;
    }
    return new Response(JSON.stringify(onServer), { status: 200, headers: { "Content-Type": "application/json" } });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  localStorage.clear();
});

function shownWith(userId = 1) {
  const preferences = createPreferences(userId);
  const labels = createValue<LabelLook>({ fill: 0.5, outlines: true, hidden: false, colorBy: "id" });
  const inverted = createValue(false);
  return { preferences, labels, inverted, ...createSeeing(preferences, { labels, inverted }) };
}

test("how cells are shown is kept, sent once for many changes, and there on the next page", async () => {
  const first = shownWith();
  for (const fill of [0.2, 0.3, 0.4]) first.setSeeing({ fill });
  first.setSeeing({ colourBy: "class", invert: true });
  expect(first.labels.get()).toMatchObject({ fill: 0.4, colorBy: "class" });
  expect(first.inverted.get()).toBe(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(puts).toBe(1);
  expect(first.preferences.saved.get()).toBe(true);
  expect(shownWith().seeing.get()).toMatchObject({ fill: 0.4, colourBy: "class", invert: true });
});

test("a peek hides the cells and is no setting; a tap takes the fill away and gives the same one back", () => {
  const { setSeeing, toggleFill, labels, preferences } = shownWith();
  setSeeing({ peek: true });
  expect(labels.get().hidden).toBe(true);
  expect(preferences.document.get().looks).toEqual({});
  setSeeing({ peek: false, fill: 0.3 });
  toggleFill();
  expect(labels.get().fill).toBe(0);
  toggleFill();
  expect(labels.get().fill).toBe(0.3);
});

test("what was changed offline goes to the server before the server's own is read", async () => {
  online = false;
  const first = shownWith();
  first.setSeeing({ outlines: false });
  await vi.advanceTimersByTimeAsync(1000);
  expect(first.preferences.saved.get()).toBe(false);
  online = true;
  const second = shownWith();
  await second.preferences.sync();
  expect(onServer.looks).toEqual({ "seeing.outlines": false });
  expect(second.preferences.saved.get()).toBe(true);
});

test("two people at one browser do not see each other's settings", () => {
  shownWith(1).setSeeing({ outlines: false });
  expect(shownWith(2).seeing.get().outlines).toBe(true);
});

test("the tools' options are kept too, and nonsense from elsewhere is not taken", async () => {
  const preferences = createPreferences(3);
  const { options } = createOptions(preferences);
  options.set({ ...options.get(), radius: 12, overlap: "overwrite" });
  expect(preferences.document.get().looks).toEqual({ "tool.radius": 12, "tool.overlap": "overwrite" });
  preferences.change({ looks: { "tool.radius": 1e9 } });
  expect(createOptions(createPreferences(3)).options.get()).toMatchObject({ radius: OPTIONS.radius.initial, overlap: "overwrite" });
  await vi.advanceTimersByTimeAsync(1000);
});
