import { expect, test } from "vitest";

import { cellArea } from "../document/patch";
import { contents, square } from "../document/testing_cells";
import { at, drag, handOn } from "./testing_hand";

const a = square("a", 1, [10, 10, 20, 20]);
const b = square("b", 2, [24, 10, 34, 20]);

test("it works: a brush stroke on free ground is one new cell, and one step of undo", () => {
  const hand = handOn([a, b]);
  const before = contents(hand.store);
  drag(hand.tools.brush, at(40, 40), at(44, 40), at(50, 40));
  const cell = hand.store.get("new-1");
  expect(cell).toMatchObject({ label: 3, source: "person", score: null, box: [38, 38, 52, 42] });
  expect(hand.selection).toEqual(new Set(["new-1"]));
  expect(hand.shown()).toBe(0);
  const after = contents(hand.store);

  hand.history.undo();
  expect(contents(hand.store)).toEqual(before);
  expect(hand.history.canUndo).toBe(false);
  hand.history.redo();
  expect(contents(hand.store)).toEqual(after);
});

test("a stroke shows while it goes on and changes nothing before it ends", () => {
  const hand = handOn([a]);
  hand.tools.brush.down(at(40, 40));
  hand.tools.brush.move(at(44, 40));
  expect(hand.tools.brush.dragging).toBe(true);
  expect(hand.shown()).toBeGreaterThan(20);
  expect(hand.store.size).toBe(1);
});

test("Escape drops a stroke without a trace", () => {
  const hand = handOn([a]);
  const before = contents(hand.store);
  hand.tools.brush.down(at(40, 40));
  hand.tools.brush.move(at(44, 40));
  expect(hand.tools.brush.cancel()).toBe(true);
  hand.tools.brush.up(at(44, 40));
  expect(contents(hand.store)).toEqual(before);
  expect(hand.shown()).toBe(0);
  expect(hand.history.canUndo).toBe(false);
});

test("a stroke that begins in a cell grows it, and stops at its neighbour", () => {
  const hand = handOn([a, b]);
  drag(hand.tools.brush, at(18, 15), at(30, 15));
  expect(hand.store.get("a")?.box).toEqual([10, 10, 24, 20]);
  expect(hand.store.get("b")).toEqual(b);
});

test("with a cell selected the brush paints into that cell, wherever the stroke begins", () => {
  const hand = handOn([a, b]);
  hand.selection = new Set(["b"]);
  drag(hand.tools.brush, at(50, 50));
  expect(hand.store.get("b")?.box[3]).toBeGreaterThan(50);
});

test("Alt takes away from the cell", () => {
  const hand = handOn([a]);
  drag(hand.tools.brush, at(10, 10, { alt: true }), at(20, 10, { alt: true }));
  const cell = hand.store.get("a");
  expect(cell && cellArea(cell)).toBeLessThan(100);
  hand.history.undo();
  expect(hand.store.get("a")).toEqual(a);
});

test("a stroke outside the image is nothing", () => {
  const hand = handOn([a]);
  drag(hand.tools.brush, at(-30, -30), at(-20, -20));
  expect(hand.store.size).toBe(1);
  expect(hand.history.canUndo).toBe(false);
});

test("the eraser takes from every cell under it, or only from the selected ones", () => {
  const everywhere = handOn([a, b]);
  drag(everywhere.tools.erase, at(12, 15), at(32, 15));
  expect(everywhere.history.undo()?.words).toBe("2 cells erased in part");
  expect(contents(everywhere.store)).toEqual(contents(handOn([a, b]).store));

  const chosen = handOn([a, b]);
  chosen.selection = new Set(["b"]);
  drag(chosen.tools.erase, at(12, 15), at(32, 15));
  expect(chosen.store.get("a")).toEqual(a);
  expect(chosen.store.get("b")).not.toEqual(b);
});

test("a cell that is erased wholly is gone, and undo brings it back with its score", () => {
  const hand = handOn([a]);
  hand.options = { ...hand.options, radius: 20 };
  drag(hand.tools.erase, at(15, 15));
  expect(hand.store.size).toBe(0);
  hand.history.undo();
  expect(hand.store.get("a")).toEqual(a);
});

test("with Overwrite a stroke takes from other cells, with Overlap both have the pixels", () => {
  const over = handOn([a, b]);
  over.selection = new Set(["a"]);
  over.options = { ...over.options, overlap: "overwrite" };
  drag(over.tools.brush, at(18, 15), at(28, 15));
  expect(over.store.at(27, 15).map((cell) => cell.id)).toEqual(["a"]);
  over.history.undo();
  expect(contents(over.store)).toEqual(contents(handOn([a, b]).store));

  const both = handOn([a, b]);
  both.selection = new Set(["a"]);
  both.options = { ...both.options, overlap: "overlap" };
  drag(both.tools.brush, at(18, 15), at(28, 15));
  expect(both.store.at(27, 15).map((cell) => cell.id)).toEqual(["b", "a"]);
  expect(both.store.get("b")).toEqual(b);
});

test("a brush that always draws new cells leaves the selected one alone, and gives the chosen class", () => {
  const hand = handOn([a]);
  hand.selection = new Set(["a"]);
  hand.options = { ...hand.options, paintsInto: "new" };
  hand.classId = "round";
  drag(hand.tools.brush, at(40, 40), at(44, 40));
  expect(hand.store.get("a")).toEqual(a);
  expect(hand.store.get("new-1")?.class_id).toBe("round");
});
