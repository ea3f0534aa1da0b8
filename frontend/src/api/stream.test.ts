import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { openStream, retryDelay } from "./stream";
import { FakeStream, fakeStreams } from "./testing_stream";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("it tells whether it is open, and opens anew what the browser gave up, later each time", () => {
  const streams = fakeStreams();
  const open: boolean[] = [];
  const close = openStream("p", { messages: {}, onConnection: (is) => open.push(is) });
  streams[0].open();
  streams[0].fail(FakeStream.CONNECTING);
  vi.advanceTimersByTime(60_000);
  expect([streams.length, open]).toEqual([1, [true, false]]);
  streams[0].fail(FakeStream.CLOSED);
  vi.advanceTimersByTime(1_000);
  streams[1].fail(FakeStream.CLOSED);
  vi.advanceTimersByTime(1_999);
  expect(streams).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(streams).toHaveLength(3);
  close();
  expect(streams[2].readyState).toBe(FakeStream.CLOSED);
});

test("it waits longer after each failure, half a minute at most", () => {
  expect([1, 2, 3, 6, 20].map(retryDelay)).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
});
