import { expect, test } from "vitest";

import { mergeCells, swapLabels } from "../document/combining";
import { classifyCells, deleteCells } from "../document/commands";
import { createHistory } from "../document/history";
import { type Patch, invert } from "../document/patch";
import { splitByLine } from "../document/splitting";
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

const merge = (document: ReturnType<typeof storeOf>): Patch => mergeCells(document, ["a", "b"]);

test("a merge of which one cell was changed is kept whole: theirs stays as it is, ours waits and can be done again", () => {
  const { store, ours, meet } = doing(merge);
  const { patches, meetings } = meet();
  expect(patches).toEqual([{ added: [], updated: [], removed: [] }]);
  expect([...store.cells()]).toEqual(expect.arrayContaining([a, smaller, c]));
  expect(store.size).toBe(3);
  expect(meetings).toEqual([{ words: "Someone else changed cell 2 while you changed it together with cell 1. Theirs stays, and yours waits as a whole.", lost: ours[0] }]);

  store.apply(insist(store, ours[0], () => "new"), "local");
  expect(labels(store)).toEqual({ a: 1, c: 3 });
  expect(store.get("a")).toEqual(ours[0].updated[0].after);
});

test("a merge into a cell that was changed, or with one that was deleted, is kept whole too", () => {
  const into = doing((document) => mergeCells(document, ["b", "a"]));
  expect(into.meet().meetings[0].lost).toEqual(into.ours[0]);
  expect(labels(into.store)).toEqual({ a: 1, b: 2, c: 3 });

  const { store, ours } = doing(merge);
  const { meetings } = rebase(store, ours, [{ added: [], updated: [], removed: [b] }], () => "new");
  expect(meetings[0]).toEqual({ words: expect.stringContaining("deleted cell 2") as string, lost: ours[0] });
  expect(labels(store)).toEqual({ a: 1, c: 3 });
});

test("a split of a cell that was changed leaves no half behind", () => {
  const { store, ours, meet } = doing((document) => splitByLine(document, b, [{ x: 5, y: 9 }, { x: 13, y: 9 }], () => "half"));
  expect(ours[0].added).toHaveLength(1);
  expect(meet().meetings[0].lost).toEqual(ours[0]);
  expect([...store.cells()]).toEqual(expect.arrayContaining([a, smaller, c]));
  expect(store.size).toBe(3);
});

test("what was done on top of a merge that is kept aside waits with it, and other changes go on", () => {
  const { store, meet } = doing(merge, (document) => classifyCells(document, ["a", "c"], "round"));
  const { patches, meetings } = meet();
  expect(meetings).toHaveLength(1);
  expect(patches[1].updated.map(({ after }) => after.id)).toEqual(["c"]);
  expect(store.get("c")?.class_id).toBe("round");
  expect(store.get("a")).toEqual(a);
  expect(meetings[0].lost?.updated[0]).toMatchObject({ before: a, after: { id: "a", class_id: "round" } });
});

test("a merge or a deletion that was undone meanwhile asks for no decision", () => {
  for (const act of [merge, (document: ReturnType<typeof storeOf>) => deleteCells(document, ["b", "c"])]) {
    const { store, ours } = doing(act);
    const undone = invert(ours[0]);
    store.apply(undone, "local");
    const { meetings } = rebase(store, [...ours, undone], [theirs], () => "new");
    expect(meetings).toEqual([]);
    expect([...store.cells()]).toEqual(expect.arrayContaining([a, smaller, c]));
    expect(store.size).toBe(3);
  }
});

test("a merge that nobody met is applied beside a deletion that was met", () => {
  const { store, meet } = doing((document) => mergeCells(document, ["a", "c"]), (document) => deleteCells(document, ["b"]));
  expect(meet().meetings.map(({ lost }) => lost?.removed)).toEqual([[b]]);
  expect(labels(store)).toEqual({ a: 1, b: 2 });
});
