import { expect, test } from "vitest";

import type { CellClass } from "../../api/classes";
import { CLASS_COLOURS, freeKeys, moved, nextColour } from "./choices";

const aClass = (id: string, change: Partial<CellClass> = {}): CellClass => ({ id, name: id, colour: CLASS_COLOURS[0], key: null, order: 0, archived: false, ...change });

test("a digit is free once its class is archived, and a class's own digit is free to itself", () => {
  const classes = [aClass("a", { key: 1 }), aClass("b", { key: 2, archived: true }), aClass("c", { key: 9 })];
  expect(freeKeys(classes, null)).toEqual([2, 3, 4, 5, 6, 7, 8]);
  expect(freeKeys(classes, "a")).toContain(1);
});

test("a new class takes a colour that no other has, as long as there is one", () => {
  expect(nextColour([])).toBe(CLASS_COLOURS[0]);
  expect(nextColour([aClass("a")])).toBe(CLASS_COLOURS[1]);
  expect(nextColour(CLASS_COLOURS.map((colour, index) => aClass(String(index), { colour })))).toBe(CLASS_COLOURS[0]);
});

test("moving keeps every class, and stops at the ends", () => {
  const classes = [aClass("a"), aClass("b"), aClass("c")];
  expect(moved(classes, "c", -1)).toEqual(["a", "c", "b"]);
  expect(moved(classes, "a", -1)).toEqual(["a", "b", "c"]);
});
