import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type Tile, type TileAddress, createTileCache, tileKey } from "./tileCache";

const SIDE = 8;
const at = (column: number): TileAddress => ({ channel: 0, level: 0, row: 0, column });
const keyOf = (column: number): string => tileKey(at(column));

interface Asked {
  readonly key: string;
  readonly signal: AbortSignal;
  come(): Promise<void>;
  fail(): Promise<void>;
}

/** A cache of at most three tiles, whose loads are answered by hand. */
function world() {
  const asked: Asked[] = [];
  const dropped: string[] = [];
  const errors: unknown[] = [];
  const load = (address: TileAddress, signal: AbortSignal): Promise<Tile> =>
    new Promise((resolve, reject) => {
      const settle = async (act: () => void): Promise<void> => {
        act();
        await vi.advanceTimersByTimeAsync(0);
      };
      asked.push({
        key: tileKey(address),
        signal,
        come: () => settle(() => resolve({ width: SIDE, height: SIDE, samples: new Uint8Array(SIDE * SIDE) })),
        fail: () => settle(() => reject(new Error("no answer"))),
      });
    });
  const hooks = { onLoad: () => undefined, onDrop: (key: string) => dropped.push(key), onError: (error: unknown) => errors.push(error) };
  return { asked, dropped, errors, cache: createTileCache(load, hooks, 3 * SIDE * SIDE) };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("only what is wanted is asked for, the most needed first and a few at a time", async () => {
  const { cache, asked } = world();
  cache.want([3, 1, 2, 4, 5, 6, 7, 8].map(at));
  expect(asked.map((one) => one.key)).toEqual([3, 1, 2, 4, 5, 6].map(keyOf));
  await asked[0].come();
  expect(asked.map((one) => one.key).slice(6)).toEqual([keyOf(7)]);
  expect(cache.get(at(3))?.width).toBe(SIDE);
});

test("what went out of view before it came is given up", () => {
  const { cache, asked } = world();
  cache.want([at(1)]);
  cache.want([at(2)]);
  expect([asked[0].signal.aborted, asked[1].signal.aborted]).toEqual([true, false]);
});

test("memory stays within its bounds: the tile looked at longest ago goes, never one in view", async () => {
  const { cache, asked, dropped } = world();
  for (const column of [1, 2, 3]) {
    cache.want([at(column)]);
    await asked[column - 1].come();
  }
  cache.get(at(1));
  cache.want([at(4), at(3)]);
  await asked[3].come();
  expect(dropped).toEqual([keyOf(2)]);
  expect([1, 3, 4].every((column) => cache.get(at(column)) !== undefined)).toBe(true);
});

test("a tile that failed is said to have, and asked for again later", async () => {
  const { cache, asked, errors } = world();
  cache.want([at(1)]);
  await asked[0].fail();
  expect(errors).toHaveLength(1);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(4000);
  expect(asked).toHaveLength(2);
});
