import { expect, test } from "vitest";

import { parseEvent } from "./events";

test("it reads each kind of message", () => {
  expect(parseEvent("image", '{"id": "a", "status": "ready", "cells": 3}')).toEqual({ type: "image", image: { id: "a", status: "ready", cells: 3 } });
  expect(parseEvent("job", '{"id": "j", "kind": "train", "progress": 0.5}')).toEqual({ type: "job", job: { id: "j", kind: "train", progress: 0.5 } });
  expect(parseEvent("model", '{"run": "r"}')).toEqual({ type: "model" });
  expect(parseEvent("note", '{"image": "a", "open": 2}')).toEqual({ type: "note", image: "a", open: 2 });
  expect(parseEvent("edit", '{"image": "a", "revision": 3}')).toEqual({ type: "edit" });
  expect(parseEvent("classes", "{}")).toEqual({ type: "classes" });
  expect(parseEvent("state", '{"counts": {"total": 2}, "jobs": [{"id": "j"}]}')).toEqual({ type: "state", counts: { total: 2 }, jobs: [{ id: "j" }] });
});

test.each([
  ["image", "not json"], ["image", "null"], ["image", "[]"], ["image", '{"status": "ready"}'], ["job", "{}"], ["model", "3"], ["note", '{"image": "a"}'],
] as const)("it drops a broken %s message %o", (type, text) => {
  expect(parseEvent(type, text)).toBeNull();
});

test("it takes a state without counts or jobs", () => {
  expect(parseEvent("state", "{}")).toEqual({ type: "state", counts: null, jobs: [] });
});
