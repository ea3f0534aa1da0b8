import { afterEach, expect, test, vi } from "vitest";

import { square } from "../document/testing_cells";
import type { Autosave } from "./autosave";
import { createProposals } from "./proposals";
import { stubServer } from "./testing_answers";

afterEach(() => void vi.unstubAllGlobals());

const PATCH = { added: [square("a", 4, [0, 0, 2, 2])], updated: [], removed: [] };
const WIRE = { ...PATCH, added: PATCH.added.map((cell) => ({ ...cell, box: [...cell.box], rle: [...cell.rle] })) };
const PROPOSAL = { id: "p", created_at: "2026-01-01T10:00:00Z", model_version: { id: "v", name: "tiny 2", number: 2 }, cells: 1, patch: WIRE };

/** An image at revision 7 with one open proposal. */
function page(accept: [number, unknown], settled: () => Promise<void> = () => Promise.resolve()) {
  let open = [PROPOSAL];
  const sent = stubServer({
    "GET /api/images/i/proposals": () => [200, { proposals: open }],
    "POST /api/proposals/p/accept": () => {
      if (accept[0] === 200) open = [];
      return accept;
    },
    "POST /api/proposals/p/dismiss": () => {
      open = [];
      return [204, null];
    },
  });
  const said: string[] = [];
  const record = vi.fn();
  const catchUp = vi.fn(() => Promise.resolve());
  const autosave = { revision: 7, settled, catchUp } as unknown as Autosave;
  const proposals = createProposals({ imageId: "i", tab: "tab-1", autosave, newId: () => "edit-1", say: (words) => said.push(words), record });
  return { proposals, sent, said, record, catchUp };
}

test("accepted cells come in with the server's edits and are one step of undo", async () => {
  const { proposals, sent, said, record, catchUp } = page([200, { id: "edit-1", revision: 8, patch: WIRE }]);
  await proposals.refresh();
  expect(proposals.list.get()).toHaveLength(1);
  await proposals.accept("p", "add");
  expect(sent.find(({ path }) => path.endsWith("/accept"))?.body).toEqual({ id: "edit-1", base_revision: 7, mode: "add", session: "tab-1" });
  expect(catchUp).toHaveBeenCalledOnce();
  expect(record).toHaveBeenCalledWith(expect.objectContaining({ added: PATCH.added }), "Proposed cells taken");
  expect(said).toEqual(["1 proposed cell taken"]);
  expect(proposals.list.get()).toEqual([]);
});

test("what waits is saved first: a proposal is not accepted over unsaved changes", async () => {
  const { proposals, sent, said, record } = page([200, {}], () => Promise.reject(new Error("Some changes are not saved yet.")));
  await proposals.accept("p", "replace");
  expect(sent.map(({ method }) => method)).toEqual(["GET"]);
  expect(record).not.toHaveBeenCalled();
  expect(said).toEqual(["The proposed cells were not taken. Some changes are not saved yet."]);
});

test("a refusal is said, and the proposal stays open", async () => {
  const { proposals, said, record } = page([409, { code: "lease_lost", detail: "Bob is editing this image." }]);
  await proposals.accept("p", "add");
  expect(said).toEqual(["The proposed cells were not taken. Bob is editing this image."]);
  expect(record).not.toHaveBeenCalled();
  expect(proposals.list.get()).toHaveLength(1);
});

test("a proposal that is put away is gone", async () => {
  const { proposals } = page([200, {}]);
  await proposals.dismiss("p");
  expect(proposals.list.get()).toEqual([]);
});
