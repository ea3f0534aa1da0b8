import { expect, test } from "vitest";

import { cellArea } from "../document/patch";
import { contents, shaped, square } from "../document/testing_cells";
import { OPERATIONS, type OperationId, TOOLS, runOperation } from "./registry";
import { FIRST_OPTIONS, OPTIONS, type OptionSpec, optionsFrom } from "./options";
import { handOn } from "./testing_hand";

const a = square("a", 1, [10, 10, 20, 20]);
const b = square("b", 2, [21, 10, 31, 20]);
const edge = square("e", 3, [0, 40, 3, 43]);

async function done(id: OperationId, cells = [a, b, edge], selected = ["a"], prepare: (hand: ReturnType<typeof handOn>) => void = () => undefined) {
  const hand = handOn(cells);
  hand.selection = new Set(selected);
  prepare(hand);
  const before = contents(hand.store);
  await runOperation(id, hand.context);
  const after = contents(hand.store);
  if (hand.history.canUndo) {
    hand.history.undo();
    expect(hand.history.canUndo).toBe(false);
    expect(contents(hand.store)).toEqual(before);
    hand.history.redo();
    expect(contents(hand.store)).toEqual(after);
  }
  return hand;
}

test("it works: growing keeps to free pixels, as one step", async () => {
  const hand = await done("grow", [a, b], ["a", "b"]);
  expect([hand.store.get("a")?.box, hand.store.get("b")?.box]).toEqual([[9, 9, 21, 21], [21, 9, 32, 21]]);
  expect(hand.store.at(20, 15).map((cell) => cell.id)).toEqual(["a"]);
});

test("shrinking and growing go by the steps that are set", async () => {
  const hand = await done("shrink", [a], ["a"], (one) => {
    one.options = { ...one.options, steps: 3 };
  });
  expect(hand.store.get("a")?.box).toEqual([13, 13, 17, 17]);
});

test("holes are filled", async () => {
  const hand = await done("fill-holes", [shaped("r", 1, ["###", "#.#", "###"], 5, 5)], ["r"]);
  const cell = hand.store.get("r");
  expect(cell && cellArea(cell)).toBe(9);
});

test("autofit moves the outline to where the picture changes, and not into another cell", async () => {
  const hand = await done("autofit", [a, b], ["a"], (one) => {
    one.picture = (x, y) => (x >= 8 && x < 26 && y >= 8 && y < 22 ? 20_000 : 1_000) + ((x * 31 + y * 17) % 100);
  });
  const [left, top, right, bottom] = hand.store.get("a")?.box ?? [];
  expect([left, top, bottom]).toEqual([8, 8, 22]);
  expect(right).toBeGreaterThan(20);
  expect(hand.store.get("b")).toEqual(b);
  expect(hand.store.at(22, 15).map((cell) => cell.id)).toEqual(["b"]);
});

test("autofit leaves a cell alone where the picture is flat, and says so", async () => {
  const hand = await done("autofit", [a], ["a"]);
  expect(hand.store.get("a")).toEqual(a);
  expect(hand.said).toHaveLength(1);
});

test("autofit does nothing to a cell that changed while the picture was read", async () => {
  const hand = handOn([a]);
  hand.selection = new Set(["a"]);
  hand.picture = (x) => (x < 26 ? 20_000 : 1_000);
  const running = runOperation("autofit", hand.context);
  const moved = { ...a, label: 7 };
  hand.store.apply({ added: [], updated: [{ before: a, after: moved }], removed: [] }, "server");
  await running;
  expect(hand.store.get("a")).toEqual(moved);
});

test("copy and paste in place: numbers stay where they are free", async () => {
  const hand = await done("copy", [a, b], ["a", "b"]);
  expect([hand.history.canUndo, hand.clipboard]).toEqual([false, [a, b]]);
  const next = await done("paste-in-place", [square("x", 2, [40, 40, 44, 44])], [], (one) => {
    one.clipboard = hand.clipboard;
  });
  expect([...next.store.cells()].map(({ label, box }) => [label, box[0]])).toEqual([[2, 40], [1, 10], [3, 21]]);
});

test("a duplicate lies beside the cell, inside the image", async () => {
  expect((await done("duplicate", [a])).store.get("new-1")).toMatchObject({ label: 2, box: [22, 10, 32, 20] });
  expect((await done("duplicate", [square("a", 1, [50, 10, 60, 20])])).store.get("new-1")?.box).toEqual([38, 10, 48, 20]);
});

test.each<[OperationId, string[]]>([
  ["keep-only", ["a"]],
  ["remove-border", ["a", "b"]],
  ["remove-small", ["a", "b"]],
])("%s leaves %j", async (id, left) => {
  const hand = await done(id);
  expect([...hand.store.cells()].map((cell) => cell.id)).toEqual(left);
});

test.each(OPERATIONS.filter(({ needs }) => needs !== "image").map(({ id }) => id))("%s with nothing selected or copied says what is missing", async (id) => {
  const hand = await done(id, [a], []);
  expect(hand.said).toHaveLength(1);
  expect(hand.history.canUndo).toBe(false);
});

test("tools and operations have different ids, and keys that nobody else of them has", () => {
  const all: readonly { id: string; key: string | null }[] = [...TOOLS, ...OPERATIONS];
  const keys = all.flatMap(({ key }) => key ?? []);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
});

test("stored options are read back; nonsense becomes what a new user has", () => {
  const changed = { ...FIRST_OPTIONS, radius: 20, overlap: "overlap" as const };
  expect(optionsFrom(JSON.parse(JSON.stringify(changed)))).toEqual(changed);
  expect(optionsFrom({ radius: -4, overlap: "perhaps", steps: "3", more: 1 })).toEqual(FIRST_OPTIONS);
  expect(optionsFrom("x")).toEqual(FIRST_OPTIONS);
  const specs: OptionSpec[] = Object.values(OPTIONS);
  expect(specs.filter((spec) => spec.kind === "number" && (spec.initial < spec.min || spec.initial > spec.max))).toEqual([]);
});
