import { expect, test } from "vitest";

import { mergeCells, swapLabels } from "../document/combining";
import { deleteCells } from "../document/commands";
import { createHistory } from "../document/history";
import type { Patch } from "../document/patch";
import { square, storeOf } from "../document/testing_cells";
import { insist, rebase, renameCells } from "./rebase";

const a = square("a", 1, [0, 0, 4, 4]);
const b = square("b", 2, [6, 6, 12, 12]);
const c = square("c", 3, [20, 20, 24, 24]);
const smaller = { ...b, box: [6, 6, 10, 10] as const, rle: [0, 16] };
const theirs: Patch = { added: [], updated: [{ before: b, after: smaller }], removed: [] };

/** A document in which we have done this. */
function doing(...acts: ((store: ReturnType<typeof storeOf>) => Patch)[]) {
  const store = storeOf(32, 32, [a, b, c]);
  const ours = acts.map((act) => {
    const patch = act(store);
    store.apply(patch, "local");
    return patch;
  });
  return { store, ours, meet: () => rebase(store, ours, [theirs], () => "new") };
}

const labels = (store: ReturnType<typeof storeOf>): Record<string, number> => Object.fromEntries([...store.cells()].map(({ id, label }) => [id, label]));

test("an exchange of numbers is dropped whole when one of the two cells was changed, and kept to be done again", () => {
  const { store, meet } = doing((document) => swapLabels(document, "a", "b"));
  const { patches, meetings } = meet();
  expect(patches).toEqual([{ added: [], updated: [], removed: [] }]);
  expect(labels(store)).toEqual({ a: 1, b: 2, c: 3 });
  expect(store.get("b")?.box).toEqual(smaller.box);
  expect(meetings.map(({ words }) => words)).toEqual(["Someone else changed cell 2 while you gave new numbers to 1 and 2. They keep their numbers."]);

  store.apply(insist(store, meetings[0].lost ?? theirs, () => "new"), "local");
  expect(labels(store)).toEqual({ a: 2, b: 1, c: 3 });
  expect(store.get("b")?.box).toEqual(smaller.box);
});

test("an exchange that nobody met stays whole beside another change that was met", () => {
  const { store, meet } = doing((document) => swapLabels(document, "a", "c"), (document) => deleteCells(document, ["b"]));
  const { meetings } = meet();
  expect(labels(store)).toEqual({ a: 3, b: 2, c: 1 });
  expect(meetings).toHaveLength(1);
});

test("what came after a dropped exchange goes on under the numbers that stayed", () => {
  const { store, meet } = doing((document) => swapLabels(document, "a", "b"), (document) => mergeCells(document, ["a", "c"]), (document) => swapLabels(document, "b", "a"));
  const { patches, meetings } = meet();
  expect(labels(store)).toEqual({ a: 1, b: 2 });
  expect(meetings).toHaveLength(1);
  expect(patches.map(({ updated }) => updated.length)).toEqual([0, 1, 0]);
});

test("an exchange is not insisted on once a number belongs to another cell", () => {
  const swap = swapLabels(storeOf(32, 32, [a, b]), "a", "b");
  const store = storeOf(32, 32, [a, { ...c, label: 2 }]);
  expect(insist(store, swap, () => "new")).toEqual({ added: [], updated: [], removed: [] });
});

test("a step of undo whose exchange was dropped says nothing any more, and those before it keep their numbers", () => {
  const { store, ours, meet } = doing((document) => swapLabels(document, "a", "b"));
  const earlier: Patch = { added: [], updated: [{ before: { ...a, label: 9 }, after: a }], removed: [] };
  const { renamed } = meet();
  expect(renameCells(ours[0], renamed).updated).toEqual([]);
  expect(renameCells(earlier, renamed)).toEqual(earlier);
  const history = createHistory(store);
  history.restore({ entries: [{ words: "renumbered", patch: earlier }], cursor: 1 });
  expect(history.undo()?.words).toBe("renumbered");
});
