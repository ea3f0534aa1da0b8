import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { deleteCells, eraseCells } from "../document/commands";
import { createHistory } from "../document/history";
import { type Cell, EMPTY_PATCH } from "../document/patch";
import { filled, square, storeOf } from "../document/testing_cells";
import { createAutosave } from "./autosave";
import { type Leftover, type LocalStore, openLocalStore, scopeOf } from "./localStore";
import { leftBehind } from "./openImage";
import { type Meeting, insist } from "./rebase";
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
async function visit(server: FakeServer, tab = "tab-1") {
  const local: LocalStore = await openLocalStore(scopeOf(7, "image"));
  const store = storeOf(32, 32, [...server.cells.values()]);
  const history = createHistory(store);
  history.restore(await local.history());
  const said: string[] = [];
  const met: Meeting[] = [];
  const leftovers: Leftover[] = [];
  const lost = vi.fn();
  const autosave = createAutosave({
    imageId: "image",
    tab,
    store,
    local,
    revision: server.edits.length,
    newId: () => crypto.randomUUID(),
    say: (words) => said.push(words),
    rename: () => history.state(),
    onMeetings: (meetings) => met.push(...meetings),
    onLeftovers: (more) => leftovers.push(...more),
    onLeaseLost: lost,
  });
  history.listen((event) => autosave.add(event));
  autosave.adopt(await leftBehind("image", local, tab));
  const remove = (id: string): void => history.commit(deleteCells(store, [id]), `${id} deleted`);
  const isSaved = () => vi.waitFor(() => expect(autosave.state.get()).toEqual({ waiting: 0, kept: true, problem: "none" }), 5000);
  const isKept = () => vi.waitFor(() => expect(autosave.state.get().kept).toBe(true));
  return { local, store, history, autosave, said, met, leftovers, lost, remove, isSaved, isKept };
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
  await vi.waitFor(() => expect(first.autosave.state.get()).toEqual({ waiting: 1, kept: true, problem: "offline" }));
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
  expect(page.met).toEqual([]);
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
  expect(page.met.map(({ words }) => words).join()).toContain("Both shapes are kept: theirs is 2, yours is 3.");
});

test("two people's new cells with the same number both stay", async () => {
  const server = serve([a]);
  const page = await visit(server);
  server.change({ added: [square("theirs", 2, [20, 0, 24, 4])], updated: [], removed: [] });
  page.history.commit({ added: [square("ours", 2, [10, 10, 14, 14])], updated: [], removed: [] }, "drawn");
  await page.isSaved();
  expect([...server.cells.values()].map((cell) => [cell.id, cell.label])).toEqual([["a", 1], ["theirs", 2], ["ours", 3]]);
});

test("a deletion of what someone else changed is not done, and is kept to be done again", async () => {
  const server = serve([a, b]);
  const page = await visit(server);
  const theirs: Cell = { ...b, box: [6, 6, 12, 10], rle: [0, 24], source: "person" };
  server.change({ added: [], updated: [{ before: b, after: theirs }], removed: [] });
  page.remove("b");
  await page.isSaved();
  expect(server.cells.get("b")).toEqual(theirs);
  expect(page.met).toEqual([{ words: expect.stringContaining("It is kept.") as string, lost: { added: [], updated: [], removed: [b] } }]);
  expect(insist(page.store, page.met[0].lost ?? EMPTY_PATCH, () => "new").removed).toEqual([theirs]);
});

test("a change that the server refuses is taken out of the document, kept to decide on, and holds up nothing", async () => {
  const server = serve([a, b]);
  const page = await visit(server);
  server.mode = 400;
  page.remove("a");
  await vi.waitFor(() => expect(page.autosave.state.get()).toEqual({ waiting: 0, kept: true, problem: "refused" }));
  expect(page.said[0]).toContain("The server says no.");
  expect(ids(page.store.cells())).toEqual(["a", "b"]);
  expect(page.leftovers.map(({ patch }) => ids(patch.removed))).toEqual([["a"]]);
  expect(await page.local.leftovers()).toEqual(page.leftovers);
  server.mode = "up";
  page.remove("b");
  await vi.waitFor(() => expect(server.edits).toHaveLength(1), 5000);
});

test("someone takes over: what waits stays in the document, live changes come in below it, nothing is sent", async () => {
  const server = serve([a, b, c]);
  const page = await visit(server);
  server.holder = "tab-2";
  page.remove("a");
  await vi.waitFor(() => expect(page.autosave.state.get()).toEqual({ waiting: 1, kept: true, problem: "paused" }));
  expect(page.lost).toHaveBeenCalledOnce();
  server.change({ added: [], updated: [], removed: [c] });
  await page.autosave.catchUp();
  expect(ids(page.store.cells())).toEqual(["b"]);
  expect(ids(server.cells.values())).toEqual(["a", "b"]);
  expect(server.posts).toHaveLength(1);

  server.holder = "tab-1";
  page.autosave.resume();
  await page.isSaved();
  expect(ids(server.cells.values())).toEqual(["b"]);
});

test("what someone else's take-over left unsent can be put aside: the document is the server's, and ours is kept", async () => {
  const server = serve([a, b]);
  const page = await visit(server);
  server.holder = "tab-2";
  page.remove("a");
  page.remove("b");
  await vi.waitFor(() => expect(page.autosave.state.get().problem).toBe("paused"));
  await page.autosave.setAside("Bob took over");
  expect(ids(page.store.cells())).toEqual(["a", "b"]);
  expect(page.autosave.state.get().waiting).toBe(0);
  expect(await page.local.edits()).toEqual([]);
  expect((await page.local.leftovers()).map(({ words, patch }) => [words, ids(patch.removed)])).toEqual([["Bob took over", ["a"]], ["Bob took over", ["b"]]]);
});

test("another open tab's unsent changes are left to it; a closed one's are taken up", async () => {
  const server = serve([a, b]);
  server.mode = "down";
  const first = await visit(server, "tab-1");
  first.remove("a");
  await first.isKept();
  server.mode = "up";
  vi.stubGlobal("navigator", { locks: { query: () => Promise.resolve({ held: [{ name: "cellloop-tab-tab-1" }] }) } });
  expect(await leftBehind("image", first.local, "tab-2")).toEqual([]);
  vi.unstubAllGlobals();
  vi.stubGlobal("navigator", { locks: { query: () => Promise.resolve({ held: [] }) } });
  const again = serve([a, b]);
  expect((await leftBehind("image", first.local, "tab-2")).map(({ patch }) => ids(patch.removed))).toEqual([["a"]]);
  expect(again.edits).toEqual([]);
});

test("a change made while others' changes come in keeps its local copy", async () => {
  const server = serve([a, b, c]);
  server.mode = "down";
  const page = await visit(server);
  page.remove("a");
  await page.isKept();
  server.mode = "up";
  server.holder = "tab-2";
  server.change({ added: [square("x", 1, [26, 26, 28, 28])], updated: [], removed: [] });
  const coming = page.autosave.catchUp();
  page.remove("b");
  await coming;
  await page.isKept();
  await vi.waitFor(async () => expect((await page.local.edits()).map(({ patch }) => ids(patch.removed))).toEqual([["a"], ["b"]]));
});

test("signed out: the changes wait for the next login", async () => {
  const server = serve([a]);
  const page = await visit(server);
  server.mode = 401;
  page.remove("a");
  await vi.waitFor(() => expect(page.autosave.state.get()).toEqual({ waiting: 1, kept: true, problem: "signed_out" }));
  await expect(page.autosave.settled()).rejects.toThrow("not saved yet");
});
