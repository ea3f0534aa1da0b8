import { expect, test } from "vitest";

import { deleteCells } from "./commands";
import { type HistoryEvent, type HistoryState, createHistory } from "./history";
import { PatchError } from "./patch";
import { contents, square, storeOf } from "./testing_cells";

const a = square("a", 1, [0, 0, 4, 4]);
const b = square("b", 2, [6, 6, 8, 8]);
const c = square("c", 3, [10, 10, 12, 12]);

function opened() {
  const store = storeOf(16, 16, [a, b, c]);
  const history = createHistory(store);
  const events: HistoryEvent[] = [];
  history.listen((event) => events.push(event));
  return { store, history, events, remove: (id: string) => history.commit(deleteCells(store, [id]), `${id} deleted`) };
}

test("it works", () => {
  const { store, history, remove } = opened();
  remove("a");
  expect(store.get("a")).toBeUndefined();
  expect(history.undo()?.words).toBe("a deleted");
  expect(store.get("a")).toEqual(a);
  history.redo();
  expect(store.get("a")).toBeUndefined();
});

test("a gesture is one step, however many commits it took", () => {
  const { store, history, events, remove } = opened();
  history.open("two cells deleted");
  remove("a");
  remove("b");
  history.close();
  expect(events).toHaveLength(1);
  expect(events[0].patch.removed.map((cell) => cell.id)).toEqual(["a", "b"]);
  history.undo();
  expect(store.size).toBe(3);
  expect(history.canUndo).toBe(false);
});

test("a cancelled gesture leaves no trace", () => {
  const { store, history, events, remove } = opened();
  const before = contents(store);
  history.open("never");
  remove("a");
  history.cancel();
  expect(contents(store)).toEqual(before);
  expect(events).toEqual([]);
  expect(history.canUndo).toBe(false);
});

test("a new step cuts off what could be redone", () => {
  const { history, remove } = opened();
  remove("a");
  history.undo();
  remove("b");
  expect(history.canRedo).toBe(false);
  expect(history.state().entries.map((entry) => entry.words)).toEqual(["b deleted"]);
});

test("changes of the server are not recorded", () => {
  const { store, history } = opened();
  store.apply(deleteCells(store, ["a"]), "server");
  expect(history.canUndo).toBe(false);
});

test("it survives a reload as JSON", () => {
  const { history, remove } = opened();
  remove("a");
  remove("b");
  history.undo();
  const saved = JSON.parse(JSON.stringify(history.state())) as HistoryState;

  const reloaded = storeOf(16, 16, [b, c]);
  const again = createHistory(reloaded);
  again.restore(saved);
  again.redo();
  expect([...reloaded.cells()].map((cell) => cell.id)).toEqual(["c"]);
  again.undo();
  again.undo();
  expect([...reloaded.cells()].map((cell) => cell.id).sort()).toEqual(["a", "b", "c"]);
});

test("a step that no longer fits changes nothing and can be dropped", () => {
  const { store, history, remove } = opened();
  remove("b");
  remove("a");
  store.apply({ added: [a], updated: [], removed: [] }, "server");
  expect(() => history.undo()).toThrow(PatchError);
  history.dropUndo();
  history.undo();
  expect(store.size).toBe(3);
});
