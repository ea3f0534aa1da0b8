import { afterEach, expect, test, vi } from "vitest";

import type { CellClass } from "../api/classes";
import type { ImageDetail } from "../api/types";
import { createHistory } from "../document/history";
import { square, storeOf } from "../document/testing_cells";
import type { ChannelLook } from "../render/imageLayer";
import { type Carry, createCarry } from "./carry";
import { createClasses } from "./classes";
import { type FramePlace, createFrames } from "./frames";
import { createLooks } from "./looks";
import { createPixelReader } from "./pixels";
import { createPrefetch } from "./prefetch";
import { createValue } from "./value";

afterEach(() => {
  vi.unstubAllGlobals();
  localStorage.clear();
});

const place = (index: number): FramePlace => ({ id: "series", index, count: 3, previous: index > 0 ? `f${index - 1}` : null, next: index < 2 ? `f${index + 1}` : null });

function frame(index: number, cells: ReturnType<typeof square>[], carry: Carry, framePlace: FramePlace | null = place(index)) {
  const store = storeOf(32, 32, cells);
  const history = createHistory(store);
  const said: string[] = [];
  const selected: string[] = [];
  const frames = createFrames({
    imageId: `f${index}`,
    place: framePlace,
    store,
    carry,
    newId: () => crypto.randomUUID(),
    commit: (patch, words) => history.commit(patch, words),
    select: (ids) => selected.splice(0, selected.length, ...ids),
    say: (words) => said.push(words),
  });
  return { store, history, frames, said, selected };
}

test("a copied cell keeps its number in the next frame, is selected there, and is one step of undo", () => {
  const carry = createCarry();
  const cell = square("a", 7, [2, 2, 6, 6]);
  expect(frame(0, [cell], carry).frames.carryToNext([cell])).toBe("f1");
  const next = frame(1, [square("x", 1, [20, 20, 24, 24])], carry);
  next.frames.putDown("exclude");
  const [copy] = [...next.store.cells()].filter(({ label }) => label === 7);
  expect(copy).toMatchObject({ box: cell.box, rle: cell.rle });
  expect(copy.id).not.toBe("a");
  expect(next.selected).toEqual([copy.id]);
  next.history.undo();
  expect(next.store.size).toBe(1);
  next.frames.putDown("exclude");
  expect(next.store.size).toBe(1);
});

test("a number that the next frame has already is left as it is there, and that is said", () => {
  const carry = createCarry();
  const cells = [square("a", 7, [2, 2, 6, 6]), square("b", 8, [10, 10, 14, 14])];
  frame(0, cells, carry).frames.carryToNext(cells);
  const there = square("there", 7, [24, 24, 28, 28]);
  const next = frame(1, [there], carry);
  next.frames.putDown("exclude");
  expect(next.store.get("there")).toEqual(there);
  expect([...next.store.cells()].map(({ label }) => label).sort()).toEqual([7, 8]);
  expect(next.said).toEqual(["In this frame already, and left as they are: 7."]);
});

test("there is nowhere to copy to from the last frame, and nothing to copy without a selection", () => {
  const carry = createCarry();
  const last = frame(2, [square("a", 1, [0, 0, 2, 2])], carry);
  expect(last.frames.carryToNext([...last.store.cells()])).toBeNull();
  expect(frame(0, [], carry).frames.carryToNext([])).toBeNull();
  expect(carry.paste).toBeNull();
  expect(frame(0, [], carry, null).frames.index).toBeNull();
});

const image = (channels: string[]): ImageDetail =>
  ({ id: "i", project: "p", dtype: "uint16", channels: channels.map((name) => ({ name })), levels: [{ width: 8, height: 8 }] }) as unknown as ImageDetail;

test("channels are shown alone one after the other and then together, in grey when wanted; what was set stays set", () => {
  const shown = createValue<readonly ChannelLook[]>([]);
  const looks = createLooks(image(["DNA", "Actin"]), shown, null);
  const visible = (): boolean[] => shown.get().map((look) => look.visible);
  looks.step(1);
  expect(visible()).toEqual([true, false]);
  looks.step(1);
  expect(visible()).toEqual([false, true]);
  looks.step(1);
  expect(visible()).toEqual([true, true]);
  looks.setGrey(true);
  expect(new Set(shown.get().map((look) => look.color.join())).size).toBe(1);
  looks.setGrey(false);
  looks.change(0, { low: 100, high: 900 });
  expect(shown.get()[0]).toMatchObject({ low: 100, high: 900, color: [0x6c, 0x9c, 0xff] });
  expect(createLooks(image(["DNA", "Actin"]), createValue<readonly ChannelLook[]>([]), null).chosen.get()[0]).toMatchObject({ low: 100, high: 900 });
});

test("the next frame looks like the one before: its own brightness changes nothing", () => {
  const before: ChannelLook[] = [{ color: [1, 2, 3], low: 5, high: 50, gamma: 1, visible: true }];
  const shown = createValue<readonly ChannelLook[]>([]);
  const looks = createLooks(image(["DNA"]), shown, before);
  looks.learn({ channel: 0, level: 0, row: 0, column: 0 }, { width: 2, height: 1, samples: Uint16Array.of(0, 4000) });
  expect(shown.get()).toEqual(before);
});

test("pixels are read across tiles with the file's own values, at once when the picture has them", async () => {
  const tile = (row: number, column: number) => ({ width: 4, height: 4, samples: Uint16Array.from({ length: 16 }, (_, i) => 1000 * (row * 2 + column) + i) });
  const asked: string[] = [];
  const reader = createPixelReader({
    width: 8,
    height: 8,
    tileSize: 4,
    channel: () => 0,
    load: ({ row, column }) => {
      asked.push(`${row},${column}`);
      return Promise.resolve(tile(row, column));
    },
  });
  reader.learn({ channel: 0, level: 0, row: 0, column: 0 }, tile(0, 0));
  expect(reader.read([1, 1, 3, 2], 0)).toEqual(Float32Array.of(5, 6));
  expect(await reader.read([3, 3, 5, 5], 0)).toEqual(Float32Array.of(15, 1012, 2003, 3000));
  expect(asked).toEqual(["0,1", "1,0", "1,1"]);
  expect(reader.read([3, 3, 5, 5], 0)).toBeInstanceOf(Float32Array);
});

test("a class's key gives it to the selected cells and to new ones, and takes it away again", async () => {
  const classes: CellClass[] = [{ id: "red", name: "Mitotic", colour: "#ff0000", key: 2, order: 0, archived: false }];
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ classes }), { status: 200, headers: { "Content-Type": "application/json" } })));
  const store = storeOf(32, 32, [square("a", 1, [0, 0, 4, 4]), square("b", 2, [6, 6, 12, 12])]);
  const history = createHistory(store);
  const selection = createValue<ReadonlySet<string>>(new Set(["a"]));
  const carry = createCarry();
  const parts = { projectId: "p", store, selection, carry, commit: history.commit, say: () => undefined };
  const palette = createClasses(parts);
  await palette.refresh();
  palette.press(2);
  expect(store.get("a")?.class_id).toBe("red");
  expect([...palette.counts()]).toEqual([[null, 1], ["red", 1]]);
  expect(createClasses(parts).current.get()).toBe("red");
  palette.press(2);
  expect(store.get("a")?.class_id).toBeNull();
  expect(palette.current.get()).toBeNull();
  history.undo();
  expect(store.get("a")?.class_id).toBe("red");
});

test("the next image is fetched ahead once, with its coarsest tiles, and its embeddings are asked for", async () => {
  const asked: string[] = [];
  const next = { ...image(["DNA"]), id: "next" };
  const answers: Record<string, unknown> = { "/api/images/next": next, "/api/images/next/cells": { revision: 3, next_label: 2, cells: [] } };
  vi.stubGlobal("fetch", (request: Request | string) => {
    const path = typeof request === "string" ? request : new URL(request.url).pathname;
    asked.push(path);
    if (path.includes("/tiles/")) return Promise.resolve(new Response(new Uint16Array(4), { headers: { "X-Tile-Width": "2", "X-Tile-Height": "2" } }));
    return Promise.resolve(new Response(JSON.stringify(answers[path] ?? {}), { status: 200, headers: { "Content-Type": "application/json" } }));
  });
  const prefetch = createPrefetch();
  prefetch.ahead("next", true);
  prefetch.ahead("next", true);
  await vi.waitFor(() => expect(prefetch.tile("next", { channel: 0, level: 0, row: 0, column: 0 })).toBeDefined());
  expect(asked.sort()).toEqual(["/api/images/next", "/api/images/next/cells", "/api/images/next/tiles/0/0/0/0", "/api/images/next/warm"]);
  expect((await prefetch.take("next"))?.cells.revision).toBe(3);
  expect(prefetch.take("next")).toBeNull();
});
