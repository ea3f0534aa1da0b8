import { expect, test } from "vitest";

import { anImage, aPage, aProject } from "../sample_data";
import { findImage, mergeCounts, mergeImage, removeImage } from "./merge";

const pages = () => ({
  pages: [aPage([anImage({ id: "a" }), anImage({ id: "b", status: "segmenting", progress: 0.2 })]), aPage([anImage({ id: "c" })])],
  pageParams: [undefined, "next"],
});

test("it changes the image and nothing else", () => {
  const before = pages();
  const after = mergeImage(before, { id: "b", status: "segmenting", progress: 0.43 });
  expect(findImage(after, "b")).toMatchObject({ status: "segmenting", progress: 0.43, name: "cells.tif" });
  expect(after?.pages[0].results[0]).toBe(before.pages[0].results[0]);
  expect(after?.pages[1]).toBe(before.pages[1]);
});

test("it gives the same object back for an image that is not shown", () => {
  const before = pages();
  expect(mergeImage(before, { id: "z", status: "ready" })).toBe(before);
  expect(mergeImage(undefined, { id: "z" })).toBeUndefined();
});

test("it ends the sweep when the image is ready", () => {
  expect(findImage(mergeImage(pages(), { id: "b", status: "ready", cells: 38 }), "b")).toMatchObject({ progress: null, cells: 38 });
});

test("it ignores an event that is older than what is shown", () => {
  const before = { pages: [aPage([anImage({ id: "a", revision: 5, status: "in_progress" })])], pageParams: [undefined] };
  expect(mergeImage(before, { id: "a", revision: 4, status: "ready" })).toBe(before);
});

test("it takes a deleted image off every page's total", () => {
  const after = removeImage(pages(), "a");
  expect(after?.pages.map((page) => [page.results.length, page.total])).toEqual([[1, 2], [1, 2]]);
  const untouched = pages();
  expect(removeImage(untouched, "z")).toBe(untouched);
});

test("it takes the server's counts", () => {
  const project = aProject({ counts: { total: 3, queued: 1, segmenting: 2, ready: 0, in_progress: 0, submitted: 0, failed: 0, needs_channels: 0 } });
  const counts = { ...project.counts, queued: 0, ready: 1 };
  expect(mergeCounts(project, counts)?.counts).toEqual(counts);
  expect(mergeCounts(project, null)).toBe(project);
});
