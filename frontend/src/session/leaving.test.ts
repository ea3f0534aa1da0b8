import { afterEach, expect, test, vi } from "vitest";

import { at } from "../tools/testing_hand";
import type { Sent } from "./testing_answers";
import { maskAnswer, openSession } from "./testing_session";

afterEach(() => void vi.unstubAllGlobals());

/** A model that answers a box only when it is told to. */
function slowModel() {
  const boxes: { answer: () => void; refuse: () => void }[] = [];
  const answers = {
    "POST /api/images/i/decode": ({ body }: Sent) =>
      new Promise<[number, unknown]>((resolve) => {
        boxes.push({ answer: () => resolve([200, maskAnswer(body)]), refuse: () => resolve([400, { code: "bad_box", detail: "The box lies outside the image." }]) });
      }),
  };
  return { boxes, answers };
}

/** A session with one box that the model has not answered yet. */
async function openWithABox() {
  const { boxes, answers } = slowModel();
  const page = openSession(answers);
  page.box([5, 5, 15, 15]);
  await vi.waitFor(() => expect(boxes).toHaveLength(1));
  return { ...page, boxes };
}

test("it works: an image without anything under way is submitted and the next one opens", async () => {
  const { hands, opened, changesSent, said } = openSession();
  hands.run("image.submit");
  await vi.waitFor(() => expect(opened).toEqual(["j"]));
  expect(changesSent()).toEqual(["submit"]);
  expect(said).toEqual([]);
});

test.each([
  ["submitting", "submit", (page: Awaited<ReturnType<typeof openWithABox>>) => page.hands.run("image.submit")],
  ["skipping", "skip", (page: Awaited<ReturnType<typeof openWithABox>>) => page.hands.skip("Out of focus")],
])("%s waits for the mask of a box, saves it first, and says so", async (_, done, act) => {
  const page = await openWithABox();
  act(page);
  await vi.waitFor(() => expect(page.said).toContain("Waiting for the mask of 1 box"));
  expect(page.changesSent()).toEqual([]);
  page.boxes[0].answer();
  await vi.waitFor(() => expect(page.opened).toEqual(["j"]));
  expect(page.changesSent()).toEqual(["edits", done]);
  expect(page.session.document.size).toBe(1);
});

test("a box that another tool was taken after is waited for, too", async () => {
  const { hands, boxes, opened, changesSent } = await openWithABox();
  hands.run("tool.brush");
  hands.run("image.submit");
  boxes[0].answer();
  await vi.waitFor(() => expect(opened).toEqual(["j"]));
  expect(changesSent()).toEqual(["edits", "submit"]);
});

test("a box that is drawn while another one is waited for is submitted with it", async () => {
  const { hands, box, boxes, opened, changesSent } = await openWithABox();
  hands.run("image.submit");
  box([30, 30, 40, 40]);
  await vi.waitFor(() => expect(boxes).toHaveLength(2));
  boxes[0].answer();
  boxes[1].answer();
  await vi.waitFor(() => expect(opened).toEqual(["j"]));
  expect(changesSent()).toEqual(["edits", "edits", "submit"]);
});

test("without the mask of a box nothing is submitted, the image stays open and the reason is said; the next press submits", async () => {
  const { hands, boxes, opened, changesSent, said } = await openWithABox();
  hands.run("image.submit");
  boxes[0].refuse();
  await vi.waitFor(() => expect(said.at(-1)).toBe("Not submitted. No mask came back. The box lies outside the image. Your changes are kept."));
  expect([opened, changesSent()]).toEqual([[], []]);
  hands.run("image.submit");
  await vi.waitFor(() => expect(opened).toEqual(["j"]));
});

test("going to another image waits for the mask of a box, and stays where none comes", async () => {
  const first = await openWithABox();
  first.hands.run("image.next");
  await vi.waitFor(() => expect(first.said).toContain("Waiting for the mask of 1 box"));
  expect(first.opened).toEqual([]);
  first.boxes[0].answer();
  await vi.waitFor(() => expect(first.opened).toEqual(["j"]));
  expect(first.session.document.size).toBe(1);

  const second = await openWithABox();
  second.hands.run("image.next");
  second.boxes[0].refuse();
  await vi.waitFor(() => expect(second.said.at(-1)).toBe("The image stays open. No mask came back. The box lies outside the image."));
  expect(second.opened).toEqual([]);
});

test("who has gone elsewhere while a box was waited for is not taken away from there", async () => {
  const { session, hands, page, boxes, opened, changesSent } = await openWithABox();
  hands.run("image.submit");
  page.address = "/images/k";
  boxes[0].answer();
  await vi.waitFor(() => expect(changesSent()).toEqual(["edits", "submit"]));
  await vi.waitFor(() => expect(session.queue.progress.get()).not.toBeNull());
  await new Promise((resolve) => setTimeout(resolve));
  expect(opened).toEqual([]);
});

test("a mask that is shown when the image is left by a link is kept, and saved before the image is let go", async () => {
  const { session, box, changesSent } = openSession();
  box([5, 5, 15, 15]);
  await vi.waitFor(() => expect(session.tools["smart-box"].waiting).toBe(0));
  expect(session.document.size).toBe(0);
  session.dispose();
  expect(session.document.size).toBe(1);
  await vi.waitFor(() => expect(changesSent()).toEqual(["edits", "leave"]));
});

test("a box without its mask when the image is left by a link is kept and saved as soon as it has one", async () => {
  const { session, boxes, changesSent } = await openWithABox();
  session.dispose();
  boxes[0].answer();
  await vi.waitFor(() => expect(changesSent()).toEqual(["edits", "leave"]));
});

test("an image that was left is let go where a box gets no mask", async () => {
  const { session, boxes, changesSent } = await openWithABox();
  session.dispose();
  boxes[0].refuse();
  await vi.waitFor(() => expect(changesSent()).toEqual(["leave"]));
});

test("what is half drawn when the image is left by a link is dropped", async () => {
  const { session, hands, changesSent } = openSession();
  hands.run("tool.brush");
  session.tools.brush.down(at(5, 5));
  session.tools.brush.move(at(9, 9));
  session.dispose();
  await vi.waitFor(() => expect(changesSent()).toEqual(["leave"]));
  expect(session.document.size).toBe(0);
});
