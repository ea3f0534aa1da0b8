import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { deleteCells, eraseCells } from "../document/commands";
import { createHistory } from "../document/history";
import type { Cell } from "../document/patch";
import { filled, square, storeOf } from "../document/testing_cells";
import { createAutosave } from "./autosave";
import { type LocalStore, openLocalStore } from "./localStore";
import { reapply } from "./rebase";
import { type FakeServer, serve } from "./testing_server";

const a = square("a", 1, [0, 0, 4, 4]);
const b = square("b", 2, [6, 6, 12, 12]);
const c = square("c", 3, [20, 20, 24, 24]);

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** One visit of the page: the document as the server has it, plus what this browser still keeps. */
async function visit(server: FakeServer) {
  const local: LocalStore = await openLocalStore("7:image");
  const store = storeOf(32, 32, [...server.cells.values()]);
  const waiting = (await local.edits()).filter((edit) => !server.edits.some(({ id }) => id === edit.id));
  const { patches } = reapply(store, waiting.map((edit) => edit.patch), () => crypto.randomUUID());
  const history = createHistory(store);
  history.restore(await local.history());
  const said: string[] = [];
  const autosave = createAutosave({
    imageId: "image",
    store,
    local,
    revision: server.edits.length,
    waiting: waiting.map((edit, index) => ({ ...edit, patch: patches[index] })),
    newId: () => crypto.randomUUID(),
    say: (words) => said.push(words),
    onRenamed: () => undefined,
  });
  history.listen((event) => autosave.add(event));
  const remove = (id: string): void => history.commit(deleteCells(store, [id]), `${id} deleted`);
  const isSaved = () => vi.waitFor(() => expect(autosave.state.get()).toEqual({ waiting: 0, problem: "none" }), 5000);
  return { local, store, history, autosave, said, remove, isSaved };
}

const ids = (cells: Iterable<Cell>): string[] => [...cells].map((cell) => cell.id).sort();

test("it works: a change is kept here, sent, acknowledged and forgotten here", async () => {
  const server = serve([a, b]);
  const page = await visit(server);
  page.remove("a");
  expect(page.autosave.state.get().waiting).toBe(1);
  await page.isSaved();
  expect(ids(server.cells.values())).toEqual(["b"]);
  expect(await page.local.edits()).toEqual([]);
  expect(page.autosave.revision).toBe(1);
});

test("changes are sent in order, one after the other", async () => {
  const server = serve([a, b, c]);
  const page = await visit(server);
  page.remove("a");
  page.history.undo();
  page.remove("b");
  page.remove("a");
  await page.isSaved();
  expect(server.edits.map(({ patch }) => [ids(patch.removed), ids(patch.added)])).toEqual([[["a"], []], [[], ["a"]], [["b"], []], [["a"], []]]);
});

test("offline changes wait, say so, survive the tab and are replayed once", async () => {
  const server = serve([a, b]);
  server.mode = "down";
  const first = await visit(server);
  first.remove("a");
  await vi.waitFor(() => expect(first.autosave.state.get()).toEqual({ waiting: 1, problem: "offline" }));
  first.local.close();

  server.mode = "up";
  const second = await visit(server);
  expect(ids(second.store.cells())).toEqual(["b"]);
  await second.isSaved();
  expect(server.edits).toHaveLength(1);
  expect(ids(server.cells.values())).toEqual(["b"]);
});

test("an answer that got lost does not apply the change twice", async () => {
  const server = serve([a, b]);
  server.mode = "deaf";
  const page = await visit(server);
  page.remove("a");
  await vi.waitFor(() => expect(page.autosave.state.get().problem).toBe("offline"));
  server.mode = "up";
  page.autosave.retryNow();
  await page.isSaved();
  expect(server.edits).toHaveLength(1);
  expect(new Set(server.posts).size).toBe(1);
});

test("undo survives a reload and is saved like any change", async () => {
  const server = serve([a, b]);
  const first = await visit(server);
  first.remove("a");
  first.remove("b");
  await first.isSaved();
  first.local.close();

  const second = await visit(server);
  expect(second.history.undo()?.words).toBe("b deleted");
  second.history.undo();
  await second.isSaved();
  expect(ids(server.cells.values())).toEqual(["a", "b"]);
  second.local.close();

  const third = await visit(server);
  expect(third.history.canUndo).toBe(false);
  third.history.redo();
  expect(ids(third.store.cells())).toEqual(["b"]);
  await third.isSaved();
});

test("somebody else's change elsewhere is taken in and ours goes on top", async () => {
  const server = serve([a, b, c]);
  const page = await visit(server);
  server.change({ added: [], updated: [], removed: [c] });
  page.remove("a");
  await page.isSaved();
  expect(ids(page.store.cells())).toEqual(["b"]);
  expect(ids(server.cells.values())).toEqual(["b"]);
  expect(page.said).toEqual([]);
});

test("where both changed a cell, both shapes are kept and it is said", async () => {
  const server = serve([a, b]);
  const page = await visit(server);
  const theirs: Cell = { ...b, box: [6, 6, 12, 10], rle: [0, 24], source: "person" };
  server.change({ added: [], updated: [{ before: b, after: theirs }], removed: [] });
  page.history.commit(eraseCells(page.store, new Set(["b"]), filled([6, 6, 8, 12])), "Part of cell 2 erased");
  await page.isSaved();
  expect(server.cells.get("b")).toEqual(theirs);
  const ours = [...server.cells.values()].find((cell) => cell.label === 3);
  expect(ours).toMatchObject({ box: [8, 6, 12, 12], source: "person" });
  expect(ids(page.store.cells())).toEqual(ids(server.cells.values()));
  expect(page.said.join()).toContain("Both shapes are kept: theirs is 2, yours is 3.");
});

test("two people's new cells with the same number both stay", async () => {
  const server = serve([a]);
  const page = await visit(server);
  server.change({ added: [square("theirs", 2, [20, 0, 24, 4])], updated: [], removed: [] });
  page.history.commit({ added: [square("ours", 2, [10, 10, 14, 14])], updated: [], removed: [] }, "drawn");
  await page.isSaved();
  expect([...server.cells.values()].map((cell) => [cell.id, cell.label])).toEqual([["a", 1], ["theirs", 2], ["ours", 3]]);
});

test("a change that the server refuses is said, kept aside and holds up nothing", async () => {
  const server = serve([a, b]);
  const page = await visit(server);
  server.mode = 400;
  page.remove("a");
  await vi.waitFor(() => expect(page.autosave.state.get()).toEqual({ waiting: 0, problem: "refused" }));
  expect(page.said[0]).toContain("The server says no.");
  server.mode = "up";
  page.remove("b");
  await vi.waitFor(() => expect(server.edits).toHaveLength(1), 5000);
});

test("signed out: the changes wait for the next login", async () => {
  const server = serve([a]);
  const page = await visit(server);
  server.mode = 401;
  page.remove("a");
  await vi.waitFor(() => expect(page.autosave.state.get()).toEqual({ waiting: 1, problem: "signed_out" }));
  await expect(page.autosave.settled()).rejects.toThrow("not saved yet");
});
