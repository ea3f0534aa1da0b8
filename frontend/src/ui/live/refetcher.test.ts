import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createRefetcher } from "./refetcher";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("it asks once however many events come", () => {
  const asked: unknown[] = [];
  const refetcher = createRefetcher((key) => asked.push(key), 1_000);
  for (let index = 0; index < 600; index += 1) refetcher.ask(["images", "p"]);
  refetcher.ask(["project", "p"]);
  vi.advanceTimersByTime(1_000);
  expect(asked).toEqual([["images", "p"], ["project", "p"]]);
  refetcher.ask(["images", "p"]);
  vi.advanceTimersByTime(1_000);
  expect(asked).toHaveLength(3);
});

test("it asks for nothing once stopped", () => {
  let asked = 0;
  const refetcher = createRefetcher(() => (asked += 1));
  refetcher.ask(["images", "p"]);
  refetcher.stop();
  vi.runAllTimers();
  expect(asked).toBe(0);
});
