import { expect, test } from "vitest";

import { createCellColors } from "./colors";
import { outline, spread } from "./contour";
import { PatchError } from "./patch";
import { createPreviewLayer } from "./preview";
import { dab } from "./stroke";
import { type ChangeSet } from "./store";
import { contents, filled, square, storeOf } from "./testing_cells";

const a = square("a", 1, [2, 2, 8, 8]);
const b = square("b", 2, [6, 6, 12, 12]);

test("it works", () => {
  const store = storeOf(700, 20, [a, b]);
  expect(store.at(3, 3).map((cell) => cell.id)).toEqual(["a"]);
  expect(store.labels.at(3, 3)).toBe(store.slotOf("a"));
  expect(store.labels.at(13, 13)).toBe(0);
  expect(store.nextLabel()).toBe(3);
});

test("where cells overlap the higher label is on top and both can be picked", () => {
  const store = storeOf(20, 20, [b, a]);
  expect(store.bySlot(store.labels.at(7, 7))?.id).toBe("b");
  expect(store.at(7, 7).map((cell) => cell.id)).toEqual(["b", "a"]);
  store.apply({ added: [], updated: [], removed: [b] }, "local");
  expect(store.bySlot(store.labels.at(7, 7))?.id).toBe("a");
});

test("a change tells which boxes are dirty and repaints only those", () => {
  const store = storeOf(700, 20, [a, b]);
  const changes: ChangeSet[] = [];
  store.listen((change) => changes.push(change));
  store.labels.read([0, 0, 700, 20], 1);
  store.apply({ added: [], updated: [{ before: a, after: { ...a, box: [510, 2, 516, 8] } }], removed: [] }, "local");
  expect(changes[0].dirty).toEqual([[2, 2, 516, 8]]);
  expect(store.labels.at(514, 4)).toBe(store.slotOf("a"));
  expect(store.labels.at(3, 3)).toBe(0);
});

test("a patch that does not fit changes nothing", () => {
  const store = storeOf(20, 20, [a, b]);
  const before = contents(store);
  const outside = square("c", 3, [18, 18, 22, 22]);
  expect(() => store.apply({ added: [outside], updated: [], removed: [a] }, "local")).toThrow(PatchError);
  expect(contents(store)).toEqual(before);
});

test("coarse reads sample every step-th pixel and never blend labels", () => {
  const store = storeOf(20, 20, [a, b]);
  const full = store.labels.read([0, 0, 20, 20], 1);
  const coarse = store.labels.read([0, 0, 20, 20], 4);
  coarse.forEach((slot, i) => expect(slot).toBe(full[Math.floor(i / 5) * 80 + (i % 5) * 4]));
});

test("reads may reach past the image", () => {
  const read = storeOf(20, 20, [square("a", 1, [0, 0, 1, 1])]).labels.read([-4, -4, 24, 24], 1);
  expect(read[4 * 28 + 4]).toBeGreaterThan(0);
  expect(read.filter((slot) => slot > 0)).toHaveLength(1);
});

test("cells that touch get different colours, and keep them", () => {
  const cells = Array.from({ length: 36 }, (_, i) => {
    const [x, y] = [(i % 6) * 5, Math.floor(i / 6) * 5];
    return square(`c${i}`, i + 1, [x, y, x + 5, y + 5]);
  });
  const store = storeOf(30, 30, cells);
  const colors = createCellColors(store);
  const first = cells.map((cell) => colors.of(cell));
  expect(cells.map((cell) => colors.of(cell))).toEqual(first);
  const clashes = cells.filter((_, i) => i % 6 < 5 && first[i] === first[i + 1]);
  expect(clashes).toEqual([]);
});

test("a preview lies over the labels until it is dropped", () => {
  const preview = createPreviewLayer();
  const dirty: unknown[] = [];
  preview.listen((box) => dirty.push(box));
  preview.add("p", filled([2, 2, 5, 5]), 9);
  const out = new Uint32Array(25);
  preview.layOver(out, [3, 3, 8, 8], 1);
  expect(out.filter((slot) => slot === 9)).toHaveLength(4);
  preview.drop("p");
  preview.layOver(out.fill(0), [3, 3, 8, 8], 1);
  expect([...out]).not.toContain(9);
  expect(dirty).toEqual([[2, 2, 5, 5], [2, 2, 5, 5]]);
});

test("a dab covers a disc, a drag covers the way, both end at the image's edge", () => {
  const image = { width: 40, height: 40 };
  const disc = dab({ x: 10, y: 10 }, { x: 10, y: 10 }, 3, image);
  const area = disc.bits.reduce((sum, bit) => sum + bit, 0);
  expect(area).toBeGreaterThan(24);
  expect(area).toBeLessThan(33);
  expect(dab({ x: 5.5, y: 5.5 }, { x: 5.5, y: 5.5 }, 0.2, image).bits.filter(Boolean)).toHaveLength(1);
  const edge = dab({ x: -5, y: 0 }, { x: 60, y: 0 }, 2, image);
  expect(edge.box).toEqual([0, 0, 40, 3]);
});

test("the outline walks once around a cell", () => {
  const points = outline(a);
  expect(points).toHaveLength(24);
  expect(points[0]).toEqual({ x: 2, y: 2 });
  expect(new Set(points.map((p) => `${p.x},${p.y}`)).size).toBe(24);
  expect(spread(points, 10)).toHaveLength(10);
});
