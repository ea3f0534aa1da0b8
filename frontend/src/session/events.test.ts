import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { FakeStream, fakeStreams } from "../api/testing_stream";
import { listenToProject } from "./events";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function listen() {
  const streams = fakeStreams();
  const heard: unknown[] = [];
  const stop = listenToProject("p", {
    onConnect: () => heard.push("connected"),
    onModel: () => heard.push("model"),
    onImage: (news) => heard.push(news),
    onLease: ({ image }) => heard.push(`lease of ${image}`),
  });
  return { streams, heard, stop };
}

test("it tells what is new, and drops what it cannot read", () => {
  const { streams, heard, stop } = listen();
  expect(streams.map(({ url }) => url)).toEqual(["/api/projects/p/events"]);
  streams[0].open();
  streams[0].say("image", { id: "i", status: "ready" });
  streams[0].say("image", { status: "ready" });
  streams[0].say("model", {});
  streams[0].say("lease", { image: "i", holder: null, people: [] });
  expect(heard).toEqual(["connected", { id: "i", status: "ready" }, "model", "lease of i"]);
  stop();
  expect(streams[0].readyState).toBe(FakeStream.CLOSED);
});

test("a stream that was answered with an error is opened again, and says that it is back", () => {
  const { streams, heard, stop } = listen();
  streams[0].open();
  streams[0].fail(FakeStream.CLOSED);
  vi.advanceTimersByTime(1_000);
  expect(streams).toHaveLength(2);
  streams[1].open();
  expect(heard).toEqual(["connected", "connected"]);
  streams[1].fail(FakeStream.CLOSED);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(streams).toHaveLength(2);
});
