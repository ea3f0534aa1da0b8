/** Polygon, lasso, flood, threshold: shapes that become cells. */
import { describe, expect, test, vi } from "vitest";

import { bitmapOf } from "../document/mask";
import { cellArea } from "../document/patch";
import { contents, rowsOf, shaped, square } from "../document/testing_cells";
import { at, drag, handOn } from "./testing_hand";

const a = square("a", 1, [10, 10, 20, 20]);
const LOOP = [at(30, 30), at(36, 30), at(36, 36), at(30, 36)] as const;

function boxesOf(hand: ReturnType<typeof handOn>) {
  return [...hand.store.cells()].map((cell) => cell.box);
}

describe("lasso", () => {
  test("a loop is a new cell, and one step", () => {
    const hand = handOn([a]);
    const before = contents(hand.store);
    drag(hand.tools.lasso, ...LOOP);
    expect(hand.store.get("new-1")).toMatchObject({ box: [30, 30, 36, 36], label: 2, source: "person" });
    expect([...hand.selection]).toEqual(["new-1"]);
    hand.history.undo();
    expect(contents(hand.store)).toEqual(before);
  });

  test("while it is drawn its way is shown and nothing is changed; Escape drops it", () => {
    const hand = handOn([a]);
    hand.tools.lasso.down(LOOP[0]);
    hand.tools.lasso.move(LOOP[1]);
    hand.tools.lasso.move(LOOP[2]);
    expect([...hand.marks.values()]).toMatchObject([{ state: "drawing", closed: true, path: [{ x: 30, y: 30 }, { x: 36, y: 30 }, { x: 36, y: 36 }] }]);
    expect(hand.tools.lasso.cancel()).toBe(true);
    hand.tools.lasso.up(LOOP[3]);
    expect([hand.marks.size, hand.store.size]).toEqual([0, 1]);
  });

  test("other cells keep their pixels", () => {
    const hand = handOn([a]);
    drag(hand.tools.lasso, at(15, 12), at(25, 12), at(25, 18), at(15, 18));
    expect(hand.store.get("new-1")?.box).toEqual([20, 12, 25, 18]);
  });

  test("Alt cuts the loop out of the selected cell, and asks for one if none is", () => {
    const hand = handOn([a]);
    const hole = [at(12, 12, { alt: true }), at(14, 12), at(14, 14), at(12, 14)] as const;
    drag(hand.tools.lasso, ...hole);
    expect(hand.said).toHaveLength(1);
    hand.selection = new Set(["a"]);
    drag(hand.tools.lasso, ...hole);
    const cell = hand.store.get("a");
    expect(cell && cellArea(cell)).toBe(96);
  });

  test("with a cell selected the loop can join it", () => {
    const hand = handOn([a]);
    hand.selection = new Set(["a"]);
    hand.options = { ...hand.options, drawsInto: "selected" };
    drag(hand.tools.lasso, at(18, 12), at(26, 12), at(26, 18), at(18, 18));
    expect(hand.store.size).toBe(1);
    expect(hand.store.get("a")?.box).toEqual([10, 10, 26, 20]);
  });
});

describe("polygon", () => {
  const clicks = (hand: ReturnType<typeof handOn>, count = 4) => LOOP.slice(0, count).forEach((place) => drag(hand.tools.polygon, place));

  test("a click on the first corner closes it", () => {
    const hand = handOn([a]);
    clicks(hand);
    expect(hand.tools.polygon.pending).toBe(true);
    expect(hand.store.size).toBe(1);
    drag(hand.tools.polygon, at(30.5, 30.5));
    expect(hand.store.get("new-1")?.box).toEqual([30, 30, 36, 36]);
    expect([hand.tools.polygon.pending, hand.marks.size]).toEqual([false, 0]);
    hand.history.undo();
    expect(hand.store.size).toBe(1);
  });

  test.each([
    ["Enter", (hand: ReturnType<typeof handOn>) => hand.tools.polygon.accept?.()],
    ["a double click", (hand: ReturnType<typeof handOn>) => drag(hand.tools.polygon, at(30, 36, { clicks: 2 }))],
  ])("%s closes it", (_, close) => {
    const hand = handOn([a]);
    clicks(hand);
    close(hand);
    expect(hand.store.get("new-1")?.box).toEqual([30, 30, 36, 36]);
  });

  test("Backspace takes the last corner back, Escape all of them", () => {
    const hand = handOn([a]);
    clicks(hand);
    expect(hand.tools.polygon.back?.()).toBe(true);
    hand.tools.polygon.accept?.();
    expect(hand.store.get("new-1") && cellArea(hand.store.get("new-1") ?? a)).toBeLessThan(36);
    clicks(hand, 2);
    expect(hand.tools.polygon.cancel()).toBe(true);
    expect([hand.tools.polygon.cancel(), hand.tools.polygon.back?.(), hand.tools.polygon.accept?.()]).toEqual([false, false, false]);
    expect(hand.store.size).toBe(2);
  });

  test("two corners are no polygon yet", () => {
    const hand = handOn([a]);
    clicks(hand, 2);
    hand.tools.polygon.accept?.();
    expect(hand.said).toEqual(["A polygon has three corners or more."]);
    expect(hand.tools.polygon.pending).toBe(true);
  });

  test("a drag draws freehand", () => {
    const hand = handOn([]);
    drag(hand.tools.polygon, at(30, 30), at(36, 30), at(36, 36), at(30, 36));
    hand.tools.polygon.accept?.();
    expect(boxesOf(hand)).toEqual([[30, 30, 36, 36]]);
  });
});

test("a shape too large for a cell is refused in words; a cut of any size takes from the selected cell", () => {
  const hand = handOn([a], undefined, 20_000);
  const loop = [at(0, 0), at(19_000, 0), at(19_000, 19_000), at(0.5, 19_000)] as const;
  drag(hand.tools.lasso, ...loop);
  expect([hand.said, hand.store.size]).toEqual([["That is too large for a cell. Draw a smaller shape."], 1]);
  hand.selection = new Set(["a"]);
  drag(hand.tools.lasso, { ...loop[0], alt: true }, loop[1], loop[2], loop[3]);
  expect(hand.store.size).toBe(0);
});

describe("flood", () => {
  const ring = shaped("r", 1, ["#####", "#...#", "#...#", "#####"], 10, 10);

  test("a gap that cells enclose is filled, into the selected cell or as a new one", () => {
    const fresh = handOn([ring]);
    drag(fresh.tools.flood, at(12, 12));
    expect(fresh.store.get("new-1")?.box).toEqual([11, 11, 14, 13]);
    const into = handOn([ring]);
    into.selection = new Set(["r"]);
    drag(into.tools.flood, at(12, 12));
    expect(rowsOf(bitmapOf(into.store.get("r") ?? ring))).toEqual(["#####", "#####", "#####", "#####"]);
    expect(into.history.undo()?.words).toBe("Cell 1 painted");
  });

  test("a flood of another cell's pixels fills nothing and says why, unless it may overwrite", () => {
    const hand = handOn([ring, a]);
    hand.selection = new Set(["r"]);
    drag(hand.tools.flood, at(18, 18));
    expect([hand.said.length, hand.history.canUndo]).toEqual([1, false]);
    hand.options = { ...hand.options, overlap: "overwrite" };
    drag(hand.tools.flood, at(18, 18));
    expect(hand.store.at(18, 18).map((cell) => cell.id)).toEqual(["r"]);
  });

  test("a flood that finds the way out fills nothing and says why", () => {
    const hand = handOn([ring]);
    hand.options = { ...hand.options, reach: 16 };
    drag(hand.tools.flood, at(30, 30));
    expect([hand.store.size, hand.said.length]).toEqual([1, 1]);
  });

  test("by brightness it takes what is about as bright, at 16 bits", async () => {
    const hand = handOn([]);
    hand.options = { ...hand.options, floodBy: "intensity", tolerance: 10, reach: 16 };
    hand.picture = (x, y) => (x >= 28 && x < 34 && y >= 28 && y < 33 ? 40_000 + x : 39_000 - 50 * (x + y));
    drag(hand.tools.flood, at(30, 30));
    await vi.waitFor(() => expect(boxesOf(hand)).toEqual([[28, 28, 34, 33]]));
    expect(hand.marks.size).toBe(0);
  });

  test("a click outside the image, and a drag, fill nothing", () => {
    const hand = handOn([ring]);
    drag(hand.tools.flood, at(-3, 5));
    drag(hand.tools.flood, at(12, 12), at(20, 12));
    expect(hand.moved).toEqual([[32, 0]]);
    expect([hand.store.size, hand.said]).toEqual([1, []]);
  });
});

describe("threshold", () => {
  /** A bright cell, a smaller one and a speck on a dim ground. */
  const bright = (x: number, y: number): number => {
    if (x >= 20 && x < 30 && y >= 20 && y < 28) return 30_000;
    if (x >= 36 && x < 42 && y >= 22 && y < 27) return 26_000;
    return x === 33 && y === 33 ? 30_000 : 900 + ((x * 7 + y * 13) % 50);
  };
  const boxed = async (options: object, picture = bright) => {
    const hand = handOn([]);
    hand.picture = picture;
    hand.options = { ...hand.options, ...options };
    drag(hand.tools.threshold, at(14, 14), at(46, 40));
    await vi.waitFor(() => expect(hand.store.size + hand.said.length).toBeGreaterThan(0));
    return hand;
  };

  test("it keeps the largest piece, each piece or all of them, without specks", async () => {
    expect(boxesOf(await boxed({}))).toEqual([[20, 20, 30, 28]]);
    const each = await boxed({ pieces: "each" });
    expect(boxesOf(each)).toEqual([[20, 20, 30, 28], [36, 22, 42, 27]]);
    expect(each.history.undo()?.words).toBe("2 cells drawn");
    expect(each.store.size).toBe(0);
    expect(boxesOf(await boxed({ pieces: "together" }))).toEqual([[20, 20, 42, 28]]);
    expect(boxesOf(await boxed({ pieces: "each", minArea: 1 }))).toHaveLength(3);
  });

  test("dark cells are found on a bright ground", async () => {
    expect(boxesOf(await boxed({ side: "dark" }, (x, y) => 40_000 - bright(x, y)))).toEqual([[20, 20, 30, 28]]);
  });

  test("a flat box and a picture that does not load say so", async () => {
    expect((await boxed({}, () => 7)).said).toHaveLength(1);
    const failing = await boxed({}, () => {
      throw new Error("The picture did not load.");
    });
    expect(failing.said).toEqual(["The picture did not load."]);
    expect(failing.marks.size).toBe(0);
  });
});
