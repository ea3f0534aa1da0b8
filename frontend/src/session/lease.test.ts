import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { LeaseAnswer, Tab } from "../api/presence";
import { accessOf, readOnlyWords } from "./access";
import { createLease } from "./lease";
import { savedOf } from "./saved";

const me: Tab = { id: 1, name: "Alice", initials: "A", session: "tab-me", editing: true };
const bob: Tab = { id: 2, name: "Bob", initials: "B", session: "tab-bob", editing: true };
let holder: Tab | null = null;
let asked: { session: string; want: boolean; take_over: boolean }[] = [];

const answer = (): LeaseAnswer => ({ mine: holder?.session === me.session, holder, people: [me, bob], revision: 4, beat_s: 10 });

beforeEach(() => {
  vi.useFakeTimers();
  holder = null;
  asked = [];
  vi.stubGlobal("fetch", async (request: Request | string, init?: RequestInit) => {
    if (typeof request === "string") {
      asked.push({ session: "left", want: false, take_over: init?.method === "POST" });
      return new Response(null, { status: 204 });
    }
    const body = (await request.json()) as (typeof asked)[number];
    asked.push(body);
    if (body.take_over || (body.want && holder === null)) holder = me;
    return new Response(JSON.stringify(answer()), { status: 200, headers: { "Content-Type": "application/json" } });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function leased(want = true) {
  if (want && holder === null) holder = me;
  const revisions: number[] = [];
  const lease = createLease({ imageId: "image", tab: me.session, want, first: answer(), onRevision: (revision) => revisions.push(revision) });
  return { lease, revisions };
}

test("it beats, and says which revision the server has", async () => {
  const { lease, revisions } = leased();
  await vi.advanceTimersByTimeAsync(21_000);
  expect(asked.map(({ want }) => want)).toEqual([true, true]);
  expect(revisions).toEqual([4, 4]);
  lease.leave();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(asked).toHaveLength(3);
});

test("what was taken over is not taken back by the next beat, but by a person, or when it is free", async () => {
  const { lease } = leased();
  holder = bob;
  lease.learn({ holder: bob, people: [me, bob], taken_from: me.session });
  expect(accessOf(lease.state.get(), false)).toEqual({ kind: "theirs", holder: bob, lost: true });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.at(-1)?.want).toBe(false);
  expect(lease.state.get().mine).toBe(false);

  await lease.takeOver();
  expect(accessOf(lease.state.get(), false)).toMatchObject({ kind: "mine", lost: false });

  holder = bob;
  lease.learn({ holder: bob, people: [me, bob], taken_from: me.session });
  holder = null;
  lease.learn({ holder: null, people: [me], taken_from: null });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(lease.state.get().mine).toBe(true);
});

test("a reader waits before taking a lease that came free: a person who reloads lets go for a moment", async () => {
  holder = bob;
  const { lease } = leased();
  lease.learn({ holder: null, people: [me], taken_from: null });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(asked).toEqual([]);
});

test("without an answer the lease is believed until the server says otherwise", async () => {
  const { lease } = leased();
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no connection")));
  await vi.advanceTimersByTimeAsync(25_000);
  expect(lease.state.get().mine).toBe(true);
});

test("who only looks never wants the lease", async () => {
  holder = bob;
  leased(false);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(asked.map(({ want }) => want)).toEqual([false]);
});

test("the words say who edits and what became of one's changes", () => {
  const theirs = accessOf({ mine: false, holder: bob, people: [], lost: true }, false);
  expect(readOnlyWords(theirs, 1)).toBe("Bob took over this image. This page follows.");
  expect(readOnlyWords({ ...theirs, lost: false }, 2)).toContain("another tab");
  const mine = accessOf({ mine: true, holder: me, people: [], lost: false }, false);
  expect(readOnlyWords(mine, 1)).toBeNull();
  const words = (waiting: number, problem: "none" | "offline" | "paused", conflicts: number, access = mine): string => savedOf({ waiting, kept: true, problem }, conflicts, access).words;
  expect([words(0, "none", 0), words(3, "none", 0), words(1, "offline", 0), words(2, "paused", 0, theirs), words(0, "none", 1), words(0, "paused", 0, theirs)]).toEqual([
    "All changes saved",
    "Saving 3 changes",
    "Offline, 1 change waits",
    "Bob took over, 2 changes not sent",
    "1 change to decide on",
    "View only",
  ]);
});
