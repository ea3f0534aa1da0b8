import { expect, test } from "vitest";

import { createUploadQueue, reasonFor, summarize, type SendOptions } from "./queue";

interface Sent {
  file: File;
  options: SendOptions;
  finish: (id: string) => void;
  fail: (error: Error) => void;
}

function world(parallel = 4) {
  const sent: Sent[] = [];
  const queue = createUploadQueue({
    parallel,
    describe: (error) => (error instanceof Error ? error.message : "unknown"),
    send: (file, options) =>
      new Promise((resolve, reject) => {
        sent.push({ file, options, finish: (id) => resolve({ id }), fail: reject });
        options.signal.addEventListener("abort", () => reject(new Error("stopped")));
      }),
  });
  return { queue, sent };
}

const file = (name: string, size = 10) => new File([new Uint8Array(size)], name);
const states = (queue: ReturnType<typeof world>["queue"]) => queue.items().map((item) => item.state);
const settle = () => new Promise((resolve) => setTimeout(resolve));

test("it sends one request per file, four at a time", async () => {
  const { queue, sent } = world();
  queue.add(Array.from({ length: 200 }, (_, index) => file(`${index}.tif`)));
  expect(sent).toHaveLength(4);
  sent[0].finish("a");
  await settle();
  expect(sent.map((request) => request.file.name)).toEqual(["0.tif", "1.tif", "2.tif", "3.tif", "4.tif"]);
  expect(states(queue).filter((state) => state === "sending")).toHaveLength(4);
});

test("it goes on past a file that fails and says why", async () => {
  const { queue, sent } = world(1);
  queue.add([file("bad.png"), file("good.png")]);
  sent[0].fail(new Error("bad.png: not an image"));
  await settle();
  sent[1].finish("image-2");
  await settle();
  expect(queue.items().map(({ state, error, imageId }) => ({ state, error, imageId }))).toEqual([
    { state: "failed", error: "not an image", imageId: null },
    { state: "added", error: "", imageId: "image-2" },
  ]);
});

test("it uploads a failed file again, and only a failed one", async () => {
  const { queue, sent } = world();
  queue.add([file("a.tif")]);
  queue.retry(1);
  expect(sent).toHaveLength(1);
  sent[0].fail(new Error("The server cannot be reached."));
  await settle();
  queue.retry(1);
  sent[1].finish("image-1");
  await settle();
  expect(states(queue)).toEqual(["added"]);
});

test("it stops a file that is dismissed on its way and starts the next", async () => {
  const { queue, sent } = world(1);
  queue.add([file("a.tif"), file("b.tif")]);
  queue.dismiss(1);
  await settle();
  expect(sent[0].options.signal.aborted).toBe(true);
  expect(queue.items().map((item) => [item.name, item.state])).toEqual([["b.tif", "sending"]]);
});

test("it takes back a file that the server accepted and could not read", async () => {
  const { queue, sent } = world();
  queue.add([file("scan.tif")]);
  sent[0].finish("image-9");
  await settle();
  queue.reject("image-9", "scan.tif: truncated after page 3");
  expect(queue.items()[0]).toMatchObject({ state: "failed", error: "truncated after page 3" });
  queue.retry(1);
  expect(sent[1].options.replaces).toBe("image-9");
});

test("it remembers a reason that came before the answer", async () => {
  const { queue, sent } = world();
  queue.add([file("scan.tif")]);
  queue.reject("image-9", "not a TIFF");
  sent[0].finish("image-9");
  await settle();
  expect(queue.items()[0]).toMatchObject({ state: "failed", error: "not a TIFF", imageId: "image-9" });
});

test("it reports progress by bytes and tells its listeners", () => {
  const { queue, sent } = world();
  let heard = 0;
  const leave = queue.subscribe(() => (heard += 1));
  queue.add([file("small.tif", 10), file("large.tif", 30)]);
  sent[1].options.onProgress(0.5);
  expect(summarize(queue.items())).toEqual({ total: 2, done: 0, added: 0, failed: 0, open: 2, sent: 15 / 40 });
  const before = heard;
  leave();
  sent[0].options.onProgress(1);
  expect([before > 0, heard]).toEqual([true, before]);
});

test("it clears what was added and keeps what failed", async () => {
  const { queue, sent } = world();
  queue.add([file("a.tif"), file("b.tif")]);
  sent[0].finish("a");
  sent[1].fail(new Error("no"));
  await settle();
  queue.clearAdded();
  expect(queue.items().map((item) => item.name)).toEqual(["b.tif"]);
});

test("it leaves a reason alone that does not start with the file's name", () => {
  expect(reasonFor("a.tif", "b.tif: broken")).toBe("b.tif: broken");
});
