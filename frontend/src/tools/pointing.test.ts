import { expect, test } from "vitest";

import { square } from "../document/testing_cells";
import { at, drag, handOn } from "./testing_hand";

const a = square("a", 1, [10, 10, 20, 20]);
const b = square("b", 2, [15, 15, 30, 30]);

test("it works: a click selects the cell under it, a click beside deselects", () => {
  const hand = handOn([a, b]);
  drag(hand.tools.select, at(11, 11));
  expect([...hand.selection]).toEqual(["a"]);
  drag(hand.tools.select, at(50, 50));
  expect(hand.selection.size).toBe(0);
});

test("Shift adds to the selection and takes away again", () => {
  const hand = handOn([a, b]);
  const keys = { shift: true };
  drag(hand.tools.select, at(11, 11));
  drag(hand.tools.select, at(28, 28, keys));
  expect([...hand.selection]).toEqual(["a", "b"]);
  drag(hand.tools.select, at(11, 11, keys));
  expect([...hand.selection]).toEqual(["b"]);
  drag(hand.tools.select, at(60, 60, keys));
  expect([...hand.selection]).toEqual(["b"]);
});

test("clicking again picks the cell below", () => {
  const hand = handOn([a, b]);
  drag(hand.tools.select, at(17, 17));
  expect([...hand.selection]).toEqual(["b"]);
  drag(hand.tools.select, at(17, 17));
  expect([...hand.selection]).toEqual(["a"]);
});

test("a trembling click still selects, a drag pans and keeps the selection", () => {
  const hand = handOn([a, b]);
  drag(hand.tools.select, at(11, 11), at(11.5, 11));
  expect([...hand.selection]).toEqual(["a"]);
  drag(hand.tools.select, at(40, 40), at(45, 42));
  expect(hand.moved).toEqual([[20, 8]]);
  expect([...hand.selection]).toEqual(["a"]);
});

test("a double click on the background fits the image", () => {
  const hand = handOn([a]);
  drag(hand.tools.select, at(50, 50, { clicks: 2 }));
  expect(hand.moved).toEqual([[]]);
});

test("the pan tool follows the hand until it lets go", () => {
  const hand = handOn([a]);
  drag(hand.tools.pan, at(10, 10), at(12, 13));
  hand.tools.pan.move(at(40, 40));
  expect(hand.moved).toEqual([[8, 12]]);
});

test("Ctrl deletes the cell under the click, as one step", () => {
  const hand = handOn([a, b]);
  drag(hand.tools.select, at(17, 17, { mod: true }));
  expect([...hand.store.cells()].map((cell) => cell.id)).toEqual(["a"]);
  expect(hand.history.undo()?.words).toBe("Cell 2 deleted");
});

test("Alt merges the clicked cell into the selected one", () => {
  const hand = handOn([a, b]);
  drag(hand.tools.select, at(28, 28, { alt: true }));
  expect(hand.said).toHaveLength(1);
  hand.selection = new Set(["a"]);
  drag(hand.tools.select, at(28, 28, { alt: true }));
  expect(hand.store.get("a")?.box).toEqual([10, 10, 30, 30]);
  expect(hand.store.size).toBe(1);
});
