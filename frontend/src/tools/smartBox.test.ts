import { expect, test, vi } from "vitest";

import { contents, square } from "../document/testing_cells";
import { at, drag, handOn } from "./testing_hand";
import type { DecodedMask, Prompt } from "./tool";

const a = square("a", 1, [10, 10, 20, 20]);
/** A model that fills the box, a pixel narrower on the left for each negative click. */
const maskOf = ({ box, points }: Prompt, score = 0.94): DecodedMask => {
  const left = box[0] + points.filter((point) => !point.positive).length;
  return { mask: { box: [left, box[1], box[2], box[3]], rle: [0, (box[2] - left) * (box[3] - box[1])] }, score, modelVersion: "v5" };
};
const model = (prompt: Prompt): Promise<DecodedMask> => Promise.resolve(maskOf(prompt));
const shownMark = (hand: ReturnType<typeof handOn>) => [...hand.marks.values()];

test("it works: letting go shows the model's mask, and Enter keeps it as one step", async () => {
  const hand = handOn([a], model);
  const tool = hand.tools["smart-box"];
  const before = contents(hand.store);
  drag(tool, at(30, 30), at(40, 44));
  expect(shownMark(hand)).toMatchObject([{ box: [30, 30, 40, 44], state: "waiting", tag: "" }]);
  await vi.waitFor(() => expect(hand.shown()).toBe(140));
  expect(contents(hand.store)).toEqual(before);
  expect(shownMark(hand)).toMatchObject([{ state: "drawing", tag: "0.94  140 px", low: false }]);
  expect(tool.pending).toBe(true);

  expect(tool.accept?.()).toBe(true);
  expect(hand.store.get("new-1")).toMatchObject({ label: 2, box: [30, 30, 40, 44], score: 0.94, source: "person", model_version: "v5" });
  expect([hand.marks.size, hand.shown(), tool.pending, tool.accept?.()]).toEqual([0, 0, false, false]);
  hand.history.undo();
  expect(contents(hand.store)).toEqual(before);
});

test("the next drag keeps the mask before it", async () => {
  const hand = handOn([], model);
  const tool = hand.tools["smart-box"];
  drag(tool, at(5, 5), at(15, 15));
  await vi.waitFor(() => expect(hand.shown()).toBe(100));
  drag(tool, at(30, 30), at(40, 40));
  expect([...hand.store.cells()].map((cell) => cell.box)).toEqual([[5, 5, 15, 15]]);
});

test("taking another tool keeps what is shown, and what still waits when it comes", async () => {
  const hand = handOn([], model);
  const tool = hand.tools["smart-box"];
  drag(tool, at(5, 5), at(15, 15));
  tool.leave?.();
  await vi.waitFor(() => expect(hand.store.size).toBe(1));
  drag(tool, at(30, 30), at(40, 40));
  await vi.waitFor(() => expect(hand.shown()).toBe(100));
  tool.leave?.();
  expect(hand.store.size).toBe(2);
});

test("Escape drops the mask that is shown", async () => {
  const hand = handOn([], model);
  const tool = hand.tools["smart-box"];
  drag(tool, at(5, 5), at(15, 15));
  await vi.waitFor(() => expect(hand.shown()).toBe(100));
  expect(tool.cancel()).toBe(true);
  expect([hand.shown(), hand.marks.size, hand.store.size, hand.history.canUndo]).toEqual([0, 0, 0, false]);
  expect(tool.cancel()).toBe(false);
});

test("clicks refine the mask, Backspace takes them back one by one and then the box", async () => {
  const answer = vi.fn(model);
  const hand = handOn([], answer);
  const tool = hand.tools["smart-box"];
  drag(tool, at(5, 5), at(15, 15));
  await vi.waitFor(() => expect(hand.shown()).toBe(100));
  drag(tool, at(10.5, 9));
  drag(tool, at(6, 6, { alt: true }));
  await vi.waitFor(() => expect(hand.shown()).toBe(90));
  expect(answer.mock.lastCall?.[0]).toEqual({
    box: [5, 5, 15, 15],
    points: [{ x: 10.5, y: 9, positive: true }, { x: 6, y: 6, positive: false }],
  });
  expect(shownMark(hand)[0].points).toHaveLength(2);

  expect(tool.back?.()).toBe(true);
  await vi.waitFor(() => expect(hand.shown()).toBe(100));
  expect([tool.back?.(), tool.back?.(), tool.back?.()]).toEqual([true, true, false]);
  expect([hand.shown(), hand.marks.size, hand.store.size]).toEqual([0, 0, 0]);
});

test("a click for a model of boxes only asks nothing and keeps the mask", async () => {
  const answer = vi.fn(model);
  const hand = handOn([], answer);
  hand.takesPoints = false;
  drag(hand.tools["smart-box"], at(5, 5), at(15, 15));
  await vi.waitFor(() => expect(hand.shown()).toBe(100));
  drag(hand.tools["smart-box"], at(9, 9));
  expect(answer).toHaveBeenCalledTimes(1);
  expect(hand.said[0]).toContain("boxes only");
  expect(hand.shown()).toBe(100);
});

test("a click that brings no answer leaves the mask as it was", async () => {
  const hand = handOn([], (prompt) => (prompt.points.length > 0 ? Promise.reject(new Error("The model is busy.")) : model(prompt)));
  const tool = hand.tools["smart-box"];
  drag(tool, at(5, 5), at(15, 15));
  await vi.waitFor(() => expect(hand.shown()).toBe(100));
  drag(tool, at(9, 9));
  await vi.waitFor(() => expect(hand.said).toEqual(["The model is busy."]));
  expect(shownMark(hand)).toMatchObject([{ state: "drawing", points: [] }]);
  tool.accept?.();
  expect(hand.store.size).toBe(1);
});

test("a box around a cell that is there redraws it, as one step", async () => {
  const hand = handOn([a], model);
  const before = contents(hand.store);
  drag(hand.tools["smart-box"], at(9, 9), at(21, 21));
  hand.tools["smart-box"].accept?.();
  await vi.waitFor(() => expect(hand.store.get("a")?.box).toEqual([9, 9, 21, 21]));
  expect(hand.store.size).toBe(1);
  hand.history.undo();
  expect(contents(hand.store)).toEqual(before);
});

test("a low score is shown in amber and kept, never dropped", async () => {
  const hand = handOn([], (prompt) => Promise.resolve(maskOf(prompt, 0.31)));
  drag(hand.tools["smart-box"], at(5, 5), at(20, 20));
  await vi.waitFor(() => expect(shownMark(hand)).toMatchObject([{ low: true }]));
  hand.tools["smart-box"].accept?.();
  expect(hand.store.get("new-1")?.score).toBe(0.31);
});

test("several boxes may be in flight and come back in any order", async () => {
  const answers: (() => void)[] = [];
  const hand = handOn([], (prompt) => new Promise((resolve) => answers.push(() => resolve(maskOf(prompt)))));
  drag(hand.tools["smart-box"], at(5, 5), at(15, 15));
  drag(hand.tools["smart-box"], at(30, 30), at(40, 40));
  hand.tools["smart-box"].accept?.();
  expect(hand.marks.size).toBe(2);
  answers[1]();
  await vi.waitFor(() => expect(hand.store.size).toBe(1));
  answers[0]();
  await vi.waitFor(() => expect(hand.store.size).toBe(2));
  expect([...hand.store.cells()].map((cell) => cell.box[0])).toEqual([30, 5]);
});

test("resting shows the mask, and letting go there does not ask again", async () => {
  const answer = vi.fn(model);
  const hand = handOn([], answer);
  const tool = hand.tools["smart-box"];
  tool.down(at(5, 5));
  tool.move(at(20, 20));
  tool.rest?.();
  await vi.waitFor(() => expect(hand.shown()).toBe(225));
  tool.up(at(20, 20));
  expect(hand.shown()).toBe(225);
  tool.accept?.();
  expect(hand.store.size).toBe(1);
  expect(answer).toHaveBeenCalledTimes(1);
});

test("Escape drops the drag, then the current box, then those that wait", async () => {
  const signals: AbortSignal[] = [];
  const hand = handOn([], (_, signal) => new Promise(() => signals.push(signal)));
  const tool = hand.tools["smart-box"];
  drag(tool, at(5, 5), at(15, 15));
  drag(tool, at(20, 20), at(28, 28));
  tool.down(at(30, 30));
  tool.move(at(40, 40));
  expect([hand.marks.size, tool.cancel(), hand.marks.size]).toEqual([3, true, 2]);
  expect([tool.cancel(), hand.marks.size, signals.map((signal) => signal.aborted)]).toEqual([true, 1, [false, true]]);
  expect([tool.cancel(), hand.marks.size, signals.map((signal) => signal.aborted)]).toEqual([true, 0, [true, true]]);
  expect(tool.cancel()).toBe(false);
  await Promise.resolve();
  expect(hand.store.size).toBe(0);
});

test("without an answer the box stays and the reason is said", async () => {
  const hand = handOn([], () => Promise.reject(new Error("The model did not answer in time.")));
  drag(hand.tools["smart-box"], at(5, 5), at(15, 15));
  await vi.waitFor(() => expect(hand.said).toEqual(["The model did not answer in time."]));
  expect(shownMark(hand).map((mark) => mark.state)).toEqual(["failed"]);
  hand.tools["smart-box"].down(at(30, 30));
  expect(shownMark(hand).map((mark) => mark.state)).not.toContain("failed");
});

test("a click is not a box", () => {
  const hand = handOn([a]);
  drag(hand.tools["smart-box"], at(5, 5));
  expect(hand.said).toEqual(["Drag a box around one cell."]);
  expect(hand.marks.size).toBe(0);
});

test("a box over a cell that is there adds nothing and says so; with Overlap it adds", async () => {
  const small = () => Promise.resolve(maskOf({ box: [12, 12, 18, 18], points: [] }));
  const hand = handOn([a], small);
  const tool = hand.tools["smart-box"];
  drag(tool, at(11, 11), at(19, 19));
  tool.leave?.();
  await vi.waitFor(() => expect(hand.said).toHaveLength(1));
  expect(hand.store.size).toBe(1);
  hand.options = { ...hand.options, overlap: "overlap" };
  drag(tool, at(11, 11), at(19, 19));
  tool.leave?.();
  await vi.waitFor(() => expect(hand.store.size).toBe(2));
});
