import { expect, test } from "vitest";

import type { CellChange } from "../../api/history";
import { whatWords, whoWords } from "./changeWords";

const BOB = { id: 2, name: "Bob Keller", initials: "BK" };
const CLASSES = new Map([["c1", "Mitotic"]]);
const change = (part: Partial<CellChange>): CellChange => ({
  revision: 2, created_at: "2026-01-01T10:00:00Z", author: BOB, source: "person", changes: ["shape"], class_id: null, drawn_by: null, ...part,
});

test("it says what was done, the class by its name", () => {
  expect(whatWords(change({ changes: ["label", "class"], class_id: "c1" }), CLASSES)).toBe("Number changed, class Mitotic");
  expect(whatWords(change({ changes: ["class"] }), CLASSES)).toBe("Class taken away");
  expect(whatWords(change({ changes: ["class"], class_id: "c9" }), CLASSES)).toBe("Class that is gone");
});

test("it says who did it, and names the model only where one drew the mask", () => {
  expect(whoWords(change({ source: "model", author: null, changes: ["added"], drawn_by: "tiny 1" }))).toBe("Model tiny 1");
  expect(whoWords(change({ drawn_by: "tiny 1" }))).toBe("Bob Keller, with model tiny 1");
  expect(whoWords(change({ changes: ["checked"], drawn_by: "tiny 1" }))).toBe("Bob Keller");
  expect(whoWords(change({ author: null }))).toBe("Someone who left");
});
