import { afterEach, expect, test, vi } from "vitest";

import { createDecoder } from "./decoder";

const mask = { box: [1, 2, 3, 4], rle: [0, 4], score: 0.9, model_version: "v", timings: { queue_ms: 1, model_ms: 2, total_ms: 3 } };
const json = (status: number, body: unknown, headers = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

function answers(...list: (() => Response)[]): ReturnType<typeof vi.fn> {
  const fetch = vi.fn(() => {
    const next = list.shift();
    return next ? Promise.resolve(next()) : Promise.reject(new TypeError("no connection"));
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test("it works", async () => {
  answers(() => json(200, mask));
  const decoder = createDecoder("image", () => false);
  const found = await decoder.decode({ box: [1, 2, 3, 4], points: [] }, new AbortController().signal, () => undefined);
  expect(found).toMatchObject({ mask: { box: [1, 2, 3, 4], rle: [0, 4] }, score: 0.9, modelVersion: "v" });
  expect(decoder.state.get()).toMatchObject({ inFlight: 0, slow: false });
});

test("a busy model is asked again after the time that it gave", async () => {
  const fetch = answers(() => json(503, { code: "model_busy", detail: "busy" }, { "Retry-After": "0" }), () => json(200, mask));
  const waits: string[] = [];
  await createDecoder("image", () => false).decode({ box: [1, 2, 3, 4], points: [] }, new AbortController().signal, (words) => waits.push(words));
  expect(fetch).toHaveBeenCalledTimes(2);
  expect(waits).toEqual(["Model is busy"]);
});

test.each<[string, (() => Response)[], string]>([
  ["no connection", [], "The server cannot be reached"],
  ["a refusal", [() => json(400, { code: "bad_box", detail: "The box lies outside the image." })], "The box lies outside the image."],
])("%s is said in words", async (_, list, words) => {
  answers(...list);
  const decoder = createDecoder("image", () => false);
  await expect(decoder.decode({ box: [1, 2, 3, 4], points: [] }, new AbortController().signal, () => undefined)).rejects.toThrow(words);
  expect(decoder.state.get().inFlight).toBe(0);
});
