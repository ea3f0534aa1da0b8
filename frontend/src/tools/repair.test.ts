/** Trim, split, cut, merge, replace, swap, region, paste, class brush. */
import { describe, expect, test, vi } from "vitest";

import { contents, shaped, square } from "../document/testing_cells";
import { at, drag, handOn } from "./testing_hand";

const a = square("a", 1, [10, 10, 20, 20]);
const b = square("b", 2, [20, 10, 30, 20]);
const c = square("c", 3, [40, 40, 50, 50]);
const TWINS = shaped("t", 1, [".###....##.", "#####..####", "###########", "#####..####", ".###....##."], 10, 10);

function undoneIs(hand: ReturnType<typeof handOn>, before: unknown): void {
  hand.history.undo();
  expect(contents(hand.store)).toEqual(before);
  expect(hand.history.canUndo).toBe(false);
}

test("trim keeps the clicked piece", () => {
  const hand = handOn([shaped("p", 1, ["##..#", "##..."], 10, 10)]);
  const before = contents(hand.store);
  drag(hand.tools.trim, at(10.5, 10.5));
  expect(hand.store.get("p")?.box).toEqual([10, 10, 12, 12]);
  undoneIs(hand, before);
  drag(hand.tools.trim, at(40, 40));
  drag(hand.tools.trim, at(14.5, 10.5));
  expect(hand.store.get("p")?.box).toEqual([14, 10, 15, 11]);
  drag(hand.tools.trim, at(14.5, 10.5));
  expect(hand.said).toEqual(["Cell 1 is in one piece already."]);
});

describe("split", () => {
  test("two clicks in a cell make two cells of it, as one step", () => {
    const hand = handOn([TWINS]);
    const before = contents(hand.store);
    drag(hand.tools.split, at(12, 12));
    expect([hand.tools.split.pending, hand.store.size, hand.marks.size]).toEqual([true, 1, 1]);
    drag(hand.tools.split, at(19, 12));
    return vi.waitFor(() => {
      expect([...hand.selection]).toEqual(["t", "new-1"]);
      expect([hand.store.size, hand.marks.size, hand.tools.split.pending]).toEqual([2, 0, false]);
      undoneIs(hand, before);
    });
  });

  test("a second click elsewhere begins anew, Escape forgets the first", () => {
    const hand = handOn([TWINS, c]);
    drag(hand.tools.split, at(12, 12));
    drag(hand.tools.split, at(45, 45));
    expect([...hand.selection]).toEqual(["c"]);
    expect(hand.tools.split.cancel()).toBe(true);
    drag(hand.tools.split, at(42, 42));
    expect(hand.store.size).toBe(2);
  });

  test("by brightness it parts at the dark line", async () => {
    const hand = handOn([a]);
    hand.options = { ...hand.options, splitBy: "intensity" };
    hand.picture = (x) => (x === 17 ? 10 : 5000 - 100 * Math.abs(x - 12));
    drag(hand.tools.split, at(12, 15));
    drag(hand.tools.split, at(19, 15));
    await vi.waitFor(() => expect(hand.store.size).toBe(2));
    expect(Math.abs((hand.store.get("a")?.box[2] ?? 0) - 17.5)).toBeLessThan(1);
  });
});

test("a cut parts every cell that it goes through, or only the selected ones", () => {
  const hand = handOn([a, b]);
  const before = contents(hand.store);
  const line = [at(5, 14.5), at(20, 14.5), at(35, 14.5)] as const;
  drag(hand.tools.cut, ...line);
  expect(hand.store.size).toBe(4);
  expect([...hand.store.cells()].map((cell) => cell.label)).toEqual([1, 2, 3, 4]);
  undoneIs(hand, before);
  hand.selection = new Set(["b"]);
  drag(hand.tools.cut, ...line);
  expect(hand.store.get("a")).toEqual(a);
  expect(hand.store.size).toBe(3);
});

test("a line that ends inside cuts nothing and says so", () => {
  const hand = handOn([a]);
  drag(hand.tools.cut, at(5, 14.5), at(15, 14.5));
  expect([hand.said.length, hand.history.canUndo]).toEqual([1, false]);
});

describe("merge", () => {
  test("clicks join cells to the first, one step each", () => {
    const hand = handOn([a, b, c]);
    for (const place of [at(25, 15), at(15, 15), at(45, 45)]) drag(hand.tools.merge, place);
    expect([...hand.store.cells()].map((cell) => cell.id)).toEqual(["b"]);
    expect(hand.store.get("b")).toMatchObject({ label: 2, box: [10, 10, 50, 50] });
    hand.history.undo();
    expect(hand.store.get("c")).toEqual(c);
    expect(hand.store.get("a")).toBeUndefined();
  });

  test("a loop joins the cells in it, to the selected one if there is one", () => {
    const loop = [at(5, 5), at(35, 5), at(35, 25), at(5, 25)] as const;
    const hand = handOn([a, b, c]);
    const before = contents(hand.store);
    drag(hand.tools.merge, ...loop);
    expect(hand.store.get("a")?.box).toEqual([10, 10, 30, 20]);
    undoneIs(hand, before);
    hand.selection = new Set(["c"]);
    drag(hand.tools.merge, ...loop);
    expect([...hand.store.cells()].map((cell) => cell.id)).toEqual(["c"]);
  });

  test("a loop around nothing or one cell says so", () => {
    const hand = handOn([a, c]);
    drag(hand.tools.merge, at(30, 5), at(38, 5), at(38, 12));
    drag(hand.tools.merge, at(5, 5), at(35, 5), at(35, 25), at(5, 25));
    expect([hand.said.length, hand.history.canUndo]).toEqual([2, false]);
  });
});

test("replace gives the first cell the shape of the second", () => {
  const hand = handOn([a, c]);
  drag(hand.tools.replace, at(15, 15));
  drag(hand.tools.replace, at(45, 45));
  expect([...hand.store.cells()]).toEqual([{ ...c, id: "a", label: 1 }]);
  hand.history.undo();
  expect(hand.store.get("c")).toEqual(c);
});

test("swap exchanges the numbers of two cells; without a selection it starts again", () => {
  const hand = handOn([a, c]);
  drag(hand.tools["swap-ids"], at(15, 15));
  // Leaving the tool or Escape takes nothing from the selection: that is the page's.
  expect([hand.tools["swap-ids"].cancel(), [...hand.selection]]).toEqual([false, ["a"]]);
  hand.selection = new Set();
  for (const place of [at(45, 45), at(15, 15)]) drag(hand.tools["swap-ids"], place);
  expect([hand.store.get("a")?.label, hand.store.get("c")?.label]).toEqual([3, 1]);
});

test("a loop deletes the cells that lie in it", () => {
  const hand = handOn([a, b, c]);
  const before = contents(hand.store);
  drag(hand.tools["delete-region"], at(5, 5), at(24, 5), at(24, 25), at(5, 25));
  expect([...hand.store.cells()].map((cell) => cell.id)).toEqual(["b", "c"]);
  undoneIs(hand, before);
});

test("a copy follows the pointer and is put down by a click", () => {
  const hand = handOn([a]);
  drag(hand.tools.paste, at(40, 40));
  expect(hand.said).toEqual(["Nothing was copied yet. Select cells and copy them first."]);
  hand.clipboard = [a];
  hand.tools.paste.move(at(40, 40));
  hand.tools.paste.move(at(45, 40));
  expect(hand.shown()).toBe(100);
  drag(hand.tools.paste, at(45, 40));
  expect(hand.store.get("new-1")).toMatchObject({ label: 2, box: [40, 35, 50, 45], source: "person", score: null });
  expect(hand.shown()).toBe(0);
  hand.tools.paste.move(at(30, 30));
  hand.tools.paste.leave?.();
  expect(hand.shown()).toBe(0);
});

test("the class brush gives the class to the clicked cell and to those it goes over", () => {
  const hand = handOn([a, b, c]);
  hand.classId = "round";
  drag(hand.tools.class, at(45, 45));
  expect(hand.store.get("c")).toEqual({ ...c, class_id: "round" });
  drag(hand.tools.class, at(15, 15), at(25, 15));
  expect(["a", "b"].map((id) => hand.store.get(id)?.class_id)).toEqual(["round", "round"]);
  expect(hand.history.undo()?.words).toBe("Class given to 2 cells");
  hand.classId = null;
  drag(hand.tools.class, at(45, 45));
  expect(hand.store.get("c")).toEqual(c);
});

test("a drag in a tool of clicks moves the picture and changes nothing", () => {
  const hand = handOn([TWINS]);
  for (const id of ["trim", "split", "replace", "swap-ids", "paste"] as const) drag(hand.tools[id], at(12, 12), at(16, 12));
  expect(hand.moved).toHaveLength(5);
  expect(hand.store.get("t")).toEqual(TWINS);
  expect(hand.history.canUndo).toBe(false);
});
