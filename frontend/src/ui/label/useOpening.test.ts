import { act, renderHook, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";

import { fakeStreams } from "../../api/testing_stream";
import { stubServer } from "../../session/testing_answers";
import { anImage, aProject } from "../sample_data";
import { useOpening } from "./useOpening";

const ALICE = { id: 1, username: "alice", name: "Alice Adler", initials: "AA", is_staff: false };
const IMAGE = "/api/images/image-1";
const LEVELS = [{ level: 0, width: 512, height: 512, rows: 1, columns: 1 }];

/** The page of an image that the server is still reading, until `read` is called. The fakes stay: a page that was left still says goodbye. */
async function open() {
  let levels: unknown[] = [];
  const streams = fakeStreams();
  const sent = stubServer({
    [`GET ${IMAGE}`]: () => [200, { ...anImage({ status: levels.length > 0 ? "ready" : "queued" }), levels, tile_size: 512, series: null, notes: [], proposals: 0, previous: null, next: null, position: 1, total: 1 }],
    "GET /api/projects/project-1": () => [200, aProject()],
    [`POST ${IMAGE}/lease`]: () => [200, { mine: true, holder: null, people: [], revision: 1, beat_s: 3600 }],
    [`GET ${IMAGE}/cells`]: () => [200, { revision: 1, next_label: 1, cells: [] }],
  });
  const { result, unmount } = renderHook(() => useOpening("image-1", ALICE));
  await waitFor(() => expect(result.current.opening.kind).toBe("waiting"));
  const count = (what: string): number => sent.filter(({ method, path }) => `${method} ${path}` === what).length;
  return { streams, shown: result, unmount, count, read: () => void (levels = LEVELS) };
}

test("it works: an image opens once the news say that it is read", async () => {
  const { streams, shown, read } = await open();
  read();
  act(() => streams[0].say("image", { id: "image-1", status: "ready" }));
  await waitFor(() => expect(shown.current.opening.kind).toBe("open"));
});

test("an image that was read before the news could be heard opens once they can", async () => {
  const { streams, shown, read } = await open();
  read();
  act(() => streams[0].open());
  await waitFor(() => expect(shown.current.opening.kind).toBe("open"));
});

test("an image that is still not read is looked at once more, and no second stream is opened", async () => {
  const { streams, shown, count } = await open();
  act(() => streams[0].open());
  await waitFor(() => expect(count(`GET ${IMAGE}`)).toBe(2));
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect([shown.current.opening.kind, count(`GET ${IMAGE}`), streams.length]).toEqual(["waiting", 2, 1]);
});

test("much news at once opens an image once", async () => {
  const { streams, shown, read, count } = await open();
  read();
  act(() => {
    streams[0].open();
    streams[0].say("image", { id: "image-1", status: "ready" });
    streams[0].say("image", { id: "image-1", status: "ready", cells: 3 });
  });
  await waitFor(() => expect(shown.current.opening.kind).toBe("open"));
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(count(`GET ${IMAGE}/cells`)).toBe(1);
});
