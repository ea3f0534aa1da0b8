import { expect, test, vi } from "vitest";

import { contents, square } from "../document/testing_cells";
import { at, drag, handOn } from "./testing_hand";
import type { DecodedMask } from "./tool";

const a = square("a", 1, [10, 10, 20, 20]);
const maskOf = (box: readonly number[], score = 0.94): DecodedMask => ({
  mask: { box: [box[0], box[1], box[2], box[3]], rle: [0, (box[2] - box[0]) * (box[3] - box[1])] },
  score,
  modelVersion: "v5",
});

test("it works: a drag asks the model and keeps its mask as one step", async () => {
  const hand = handOn([a], (box) => Promise.resolve(maskOf(box)));
  const before = contents(hand.store);
  drag(hand.tools["smart-box"], at(30, 30), at(40, 44));
  expect([...hand.marks.values()]).toEqual([{ box: [30, 30, 40, 44], state: "waiting", tag: "" }]);
  await vi.waitFor(() => expect(hand.store.size).toBe(2));
  expect(hand.store.get("new-1")).toMatchObject({ label: 2, box: [30, 30, 40, 44], score: 0.94, source: "person", model_version: "v5" });
  expect(hand.marks.size).toBe(0);
  hand.history.undo();
  expect(contents(hand.store)).toEqual(before);
});

test("a box around a cell that is there redraws it, as one step", async () => {
  const hand = handOn([a], (box) => Promise.resolve(maskOf(box)));
  const before = contents(hand.store);
  drag(hand.tools["smart-box"], at(9, 9), at(21, 21));
  await vi.waitFor(() => expect(hand.store.get("a")?.box).toEqual([9, 9, 21, 21]));
  expect(hand.store.size).toBe(1);
  hand.history.undo();
  expect(contents(hand.store)).toEqual(before);
});

test("a low score is kept and shown, never dropped", async () => {
  const hand = handOn([], (box) => Promise.resolve(maskOf(box, 0.31)));
  drag(hand.tools["smart-box"], at(5, 5), at(20, 20));
  await vi.waitFor(() => expect(hand.store.get("new-1")?.score).toBe(0.31));
});

test("several boxes may be in flight and come back in any order", async () => {
  const answers: (() => void)[] = [];
  const hand = handOn([], (box) => new Promise((resolve) => answers.push(() => resolve(maskOf(box)))));
  drag(hand.tools["smart-box"], at(5, 5), at(15, 15));
  drag(hand.tools["smart-box"], at(30, 30), at(40, 40));
  expect(hand.marks.size).toBe(2);
  answers[1]();
  await vi.waitFor(() => expect(hand.store.size).toBe(1));
  answers[0]();
  await vi.waitFor(() => expect(hand.store.size).toBe(2));
  expect([...hand.store.cells()].map((cell) => cell.box[0])).toEqual([30, 5]);
});

test("resting shows the mask, and letting go there keeps it without asking again", async () => {
  const answer = vi.fn((box: readonly number[]) => Promise.resolve(maskOf(box)));
  const hand = handOn([], answer);
  const tool = hand.tools["smart-box"];
  tool.down(at(5, 5));
  tool.move(at(20, 20));
  tool.rest?.();
  await vi.waitFor(() => expect(hand.shown()).toBe(225));
  expect(hand.store.size).toBe(0);
  tool.up(at(20, 20));
  expect(hand.store.size).toBe(1);
  expect(hand.shown()).toBe(0);
  expect(answer).toHaveBeenCalledTimes(1);
});

test("Escape drops the drag, then the boxes that wait", async () => {
  const signals: AbortSignal[] = [];
  const hand = handOn([], (_, signal) => new Promise(() => signals.push(signal)));
  const tool = hand.tools["smart-box"];
  drag(tool, at(5, 5), at(15, 15));
  tool.down(at(30, 30));
  tool.move(at(40, 40));
  expect(tool.cancel()).toBe(true);
  expect(hand.marks.size).toBe(1);
  expect(tool.cancel()).toBe(true);
  expect(hand.marks.size).toBe(0);
  expect(signals[0].aborted).toBe(true);
  expect(tool.cancel()).toBe(false);
  await Promise.resolve();
  expect(hand.store.size).toBe(0);
});

test("without an answer the box stays and the reason is said", async () => {
  const hand = handOn([], () => Promise.reject(new Error("The model did not answer in time.")));
  drag(hand.tools["smart-box"], at(5, 5), at(15, 15));
  await vi.waitFor(() => expect(hand.said).toEqual(["The model did not answer in time."]));
  expect([...hand.marks.values()].map((mark) => mark.state)).toEqual(["failed"]);
  hand.tools["smart-box"].down(at(30, 30));
  expect([...hand.marks.values()].map((mark) => mark.state)).not.toContain("failed");
});

test("a click is not a box", () => {
  const hand = handOn([a]);
  drag(hand.tools["smart-box"], at(5, 5));
  expect(hand.said).toEqual(["Drag a box around one cell."]);
  expect(hand.marks.size).toBe(0);
});

test("a box over a cell that is there adds nothing and says so", async () => {
  const hand = handOn([a], () => Promise.resolve(maskOf([12, 12, 18, 18])));
  drag(hand.tools["smart-box"], at(11, 11), at(19, 19));
  await vi.waitFor(() => expect(hand.said).toHaveLength(1));
  expect(hand.store.size).toBe(1);
});
