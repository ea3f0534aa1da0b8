import { afterEach, expect, test, vi } from "vitest";

import type { Autosave } from "./autosave";
import { createFlow } from "./flow";
import { stubServer } from "./testing_answers";

afterEach(() => void vi.unstubAllGlobals());

const PROGRESS = { total: 3, submitted: 1, open: 2, skipped: 0, waiting: 0, failed: 0 };
const NEXT = { image: { id: "j", name: "next.tif" }, reason: { code: "oldest", detail: "Oldest image that nobody has opened" } };
const QUEUE = { next: NEXT, upcoming: [NEXT], progress: PROGRESS };

type Answers = Parameters<typeof stubServer>[0];

/** An image whose changes are saved at revision 7, unless they cannot be. */
function page(answers: Answers, settled: () => Promise<void> = () => Promise.resolve()) {
  const sent = stubServer(answers);
  const said: string[] = [];
  const catchUp = vi.fn(() => Promise.resolve());
  const onSubmitted = vi.fn(() => Promise.resolve());
  const autosave = { revision: 7, settled, catchUp } as unknown as Autosave;
  const flow = createFlow({ imageId: "i", projectId: "p", tab: "tab-1", autosave, finishBoxes: () => Promise.resolve(), say: (words) => said.push(words), onSubmitted });
  return { flow, sent, said, catchUp, onSubmitted };
}

test("submitting tells the revision that was seen, ends the undo, and brings the queue", async () => {
  const { flow, sent, onSubmitted } = page({ "POST /api/images/i/submit": () => [200, { queue: QUEUE }] });
  expect(await flow.submit()).toMatchObject({ next: NEXT });
  expect(sent[0].body).toEqual({ revision: 7, session: "tab-1" });
  expect(onSubmitted).toHaveBeenCalledOnce();
  expect(flow.upcoming.get()).toMatchObject([NEXT]);
  expect(flow.progress.get()).toMatchObject(PROGRESS);
});

test("nothing is submitted while something is not saved", async () => {
  const { flow, sent, said } = page({}, () => Promise.reject(new Error("Some changes are not saved yet.")));
  expect(await flow.submit()).toBeNull();
  expect(sent).toEqual([]);
  expect(said).toEqual(["Not submitted. Some changes are not saved yet. Your changes are kept."]);
});

test("pressing twice submits once", async () => {
  const { flow, sent } = page({ "POST /api/images/i/submit": () => [200, { queue: QUEUE }] });
  const [first, second] = await Promise.all([flow.submit(), flow.submit()]);
  expect(first).not.toBeNull();
  expect(second).toBeNull();
  expect(sent).toHaveLength(1);
});

test("an image that someone else changed is looked at again before it is submitted", async () => {
  const { flow, said, catchUp, onSubmitted } = page({ "POST /api/images/i/submit": () => [409, { code: "stale_revision", detail: "The image has changed.", revision: 8 }] });
  expect(await flow.submit()).toBeNull();
  expect(catchUp).toHaveBeenCalledOnce();
  expect(onSubmitted).not.toHaveBeenCalled();
  expect(said).toEqual(["Not submitted: someone else changed this image. Look at it again, then submit."]);
});

test("skipping sends the reason after what waits is saved, and a refusal is said", async () => {
  const order: string[] = [];
  const saved = (): Promise<void> => Promise.resolve(void order.push("saved"));
  const { flow, sent } = page({ "POST /api/images/i/skip": () => [200, { queue: (order.push("skipped"), QUEUE) }] }, saved);
  expect(await flow.skip("Out of focus")).toMatchObject({ next: NEXT });
  expect(order).toEqual(["saved", "skipped"]);
  expect(sent[0].body).toEqual({ reason: "Out of focus", session: "tab-1" });

  const refused = page({ "POST /api/images/i/skip": () => [409, { code: "lease_lost", detail: "Bob is editing this image." }] });
  expect(await refused.flow.skip("Out of focus")).toBeNull();
  expect(refused.said).toEqual(["Not skipped. Bob is editing this image."]);
});

const WAITING = { image: { id: "k", name: "far.tif", status: "ready", cells: 4 }, reason: NEXT.reason };

test("what others do to an image that waits is shown at once, and the queue is asked for once", async () => {
  vi.useFakeTimers();
  let queue = { ...QUEUE, upcoming: [NEXT, WAITING] };
  const { flow, sent } = page({ "GET /api/projects/p/queue": () => [200, queue] });
  await flow.refresh();
  queue = { ...QUEUE, upcoming: [NEXT], progress: { ...PROGRESS, submitted: 2 } };

  flow.hear({ id: "k", status: "in_progress", cells: 5 });
  flow.hear({ id: "k", status: "submitted", cells: 5 });
  expect(flow.upcoming.get()[1].image).toMatchObject({ id: "k", name: "far.tif", status: "submitted", cells: 5 });
  expect(sent).toHaveLength(1);
  await vi.runAllTimersAsync();
  expect(sent).toHaveLength(2);
  expect(flow.upcoming.get()).toMatchObject([NEXT]);
  expect(flow.progress.get()?.submitted).toBe(2);
  vi.useRealTimers();
});

test("an image that becomes ready brings the queue, its next edits do not, and one that is deleted goes", async () => {
  vi.useFakeTimers();
  const { flow, sent } = page({ "GET /api/projects/p/queue": () => [200, { ...QUEUE, upcoming: [NEXT, WAITING] }] });
  flow.hear({ id: "new", status: "ready" });
  await vi.runAllTimersAsync();
  flow.hear({ id: "new", status: "ready", cells: 7 });
  await vi.runAllTimersAsync();
  expect(sent).toHaveLength(1);
  flow.hear({ id: "k", status: "deleted" });
  expect(flow.upcoming.get().map(({ image }) => image.id)).toEqual(["j"]);
  flow.stop();
  await vi.runAllTimersAsync();
  expect(sent).toHaveLength(1);
  vi.useRealTimers();
});
