import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createHistory } from "../document/history";
import type { Patch } from "../document/patch";
import { square, storeOf } from "../document/testing_cells";
import { createConflicts } from "./conflicts";
import { openLocalStore } from "./localStore";

const a = square("a", 1, [0, 0, 4, 4]);
const b = square("b", 2, [6, 6, 12, 12]);

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function page(mayChange = true) {
  const local = await openLocalStore("7:image");
  const store = storeOf(32, 32, [a, b]);
  const history = createHistory(store);
  const conflicts = createConflicts({
    local,
    store,
    kept: await local.leftovers(),
    newId: () => crypto.randomUUID(),
    say: () => undefined,
    commit(patch: Patch, words: string) {
      if (mayChange) history.commit(patch, words);
      return mayChange;
    },
  });
  return { local, store, history, conflicts };
}

test("what could not be applied survives the tab, is done when asked for, and can be undone", async () => {
  const first = await page();
  first.conflicts.met([{ words: "kept both", lost: null }, { words: "It is kept.", lost: { added: [], updated: [], removed: [b] } }]);
  expect(first.conflicts.list.get().map(({ words }) => words)).toEqual(["kept both", "It is kept."]);
  await vi.waitFor(async () => expect(await first.local.leftovers()).toHaveLength(1));
  first.local.close();

  const second = await page();
  const [kept] = second.conflicts.list.get();
  second.conflicts.tryAgain(kept.id);
  expect(second.store.get("b")).toBeUndefined();
  expect(second.conflicts.list.get()).toEqual([]);
  second.history.undo();
  expect(second.store.get("b")).toEqual(b);
  await vi.waitFor(async () => expect(await second.local.leftovers()).toEqual([]));
});

test("it stays in the list while nothing may be changed", async () => {
  const { conflicts, store } = await page(false);
  conflicts.left([{ id: "one", words: "Bob took over", patch: { added: [], updated: [], removed: [a] }, at: 1 }]);
  conflicts.tryAgain("one");
  expect(store.get("a")).toEqual(a);
  expect(conflicts.list.get()).toHaveLength(1);
});

test("a shape for a cell that is gone comes back as a new cell, a number that is taken gives way", async () => {
  const { conflicts, store } = await page();
  const moved = { ...square("gone", 2, [20, 20, 24, 24]), source: "person" as const };
  conflicts.left([{ id: "one", words: "", patch: { added: [], updated: [{ before: square("gone", 2, [20, 20, 22, 22]), after: moved }], removed: [] }, at: 1 }]);
  conflicts.tryAgain("one");
  expect(store.get("gone")).toMatchObject({ label: 3, box: [20, 20, 24, 24] });
});
