import { afterEach, expect, test, vi } from "vitest";

import type { Note } from "../api/notes";
import { createNotes } from "./notes";
import { stubServer } from "./testing_answers";

afterEach(() => void vi.unstubAllGlobals());

const note = (id: string, more: Partial<Note> = {}): Note => ({
  id, image: "i", cell: null, author: null, mine: true, text: "Blurred", created_at: "2026-01-01T10:00:00Z", resolved_by: null, resolved_at: null, ...more,
});

/** An image with these notes; what is written, resolved and deleted is kept as the server keeps it. */
function page(...first: Note[]) {
  let notes = first;
  const sent = stubServer({
    "GET /api/images/i/notes": () => [200, { notes }],
    "POST /api/images/i/notes": ({ body }) => {
      notes = [...notes, note("new", body as Partial<Note>)];
      return [201, notes[notes.length - 1]];
    },
    "PATCH /api/notes/a": () => {
      notes = notes.map((one) => ({ ...one, resolved_at: "2026-01-02T10:00:00Z" }));
      return [200, notes[0]];
    },
    "DELETE /api/notes/a": () => {
      notes = [];
      return [204, null];
    },
  });
  const said: string[] = [];
  return { sent, said, notes: createNotes("i", first.length, (words) => said.push(words)) };
}

test("a note on a cell is sent, and shown as the server has it", async () => {
  const { notes, sent } = page();
  expect(await notes.write("Two cells?", "c1")).toBe(true);
  expect(sent.find(({ method }) => method === "POST")?.body).toEqual({ text: "Two cells?", cell: "c1" });
  expect(notes.list.get()).toMatchObject([{ text: "Two cells?", cell: "c1" }]);
  expect(notes.open.get()).toBe(1);
});

test("a resolved note stays in the list and is not counted", async () => {
  const { notes } = page(note("a"));
  await notes.resolve("a", true);
  expect(notes.list.get()).toHaveLength(1);
  expect(notes.open.get()).toBe(0);
});

test("a deleted note is gone", async () => {
  const { notes } = page(note("a"));
  await notes.remove("a");
  expect(notes.list.get()).toEqual([]);
});

test("the image's count is shown before the notes have come", () => {
  const { notes } = page(note("a"), note("b"));
  expect(notes.list.get()).toBeNull();
  expect(notes.open.get()).toBe(2);
});

test("a note that is not sent is said, and the text is not taken from the writer", async () => {
  const { notes, said } = page();
  stubServer({ "POST /api/images/i/notes": () => [403, { code: "forbidden", detail: "You may not write here." }] });
  expect(await notes.write("Two cells?", null)).toBe(false);
  expect(said).toEqual(["The note was not sent. You may not write here."]);
  expect(notes.list.get()).toBeNull();
});
