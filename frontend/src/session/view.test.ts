import { expect, test } from "vitest";

import { invert } from "../document/patch";
import { createPreviewLayer } from "../document/preview";
import { square, storeOf } from "../document/testing_cells";
import { createValue } from "./value";
import { createView } from "./view";

const cell = square("a", 7, [10, 10, 20, 20]);
const drawn = { added: [cell], updated: [], removed: [] };

/** A view of an image of 64 x 64 pixels, of which nothing is painted: what the status bar says needs no picture. */
function open() {
  const store = storeOf(64, 64, []);
  const view = createView(
    {
      image: { width: 64, height: 64, channels: 1, dtype: "uint8", levels: [], tileSize: 64 },
      document: store,
      preview: createPreviewLayer(),
      colors: { of: () => 0 },
      classTone: () => null,
      loadTile: () => Promise.reject(new Error("nothing is painted")),
      onTile: () => undefined,
      onTileError: () => undefined,
    },
    createValue<ReadonlySet<string>>(new Set()),
  );
  view.resize({ width: 64, height: 64 }, 1);
  const label = () => view.pointer.get()?.label ?? null;
  const pointAt = (x: number, y: number): void => view.point(view.toScreen(x, y), null, false);
  return { store, view, label, pointAt };
}

test("a hand that rests on a cell names it no more once it is undone, and again when it is redone", () => {
  const { store, label, pointAt } = open();
  store.apply(drawn, "local");
  pointAt(15, 15);
  expect(label()).toBe(7);
  store.apply(invert(drawn), "local");
  expect(label()).toBeNull();
  store.apply(drawn, "local");
  expect(label()).toBe(7);
});

test("the place under a resting hand follows the picture when that moves", () => {
  const { store, view, label, pointAt } = open();
  store.apply(drawn, "local");
  pointAt(15, 15);
  view.zoomBy(4, view.toScreen(40, 40));
  expect(label()).toBeNull();
  expect(view.pointer.get()?.x).toBeGreaterThan(20);
});

test("a hand that left the picture names nothing, whatever changes", () => {
  const { store, view, label, pointAt } = open();
  pointAt(15, 15);
  view.point(null, null, false);
  store.apply(drawn, "local");
  expect(view.pointer.get()).toBeNull();
  expect(label()).toBeNull();
});
