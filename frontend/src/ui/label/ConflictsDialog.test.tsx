import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { storeOf } from "../../document/testing_cells";
import { createConflicts } from "../../session/conflicts";
import type { ImageSession } from "../../session/imageSession";
import { renderPage } from "../testing_page";
import { ConflictsDialog } from "./ConflictsDialog";

/** Three changes that were kept aside; `takes`: whether the image may be changed now. */
function open(takes = true) {
  const kept = ["First", "Second", "Third"].map((words, at) => ({ id: words, words, patch: { added: [], updated: [], removed: [] }, at }));
  const conflicts = createConflicts({ local: null, store: storeOf(64, 64, []), kept, newId: () => "new", say: vi.fn(), commit: () => takes });
  renderPage(<ConflictsDialog session={{ conflicts, readOnly: null } as unknown as ImageSession} opened onClose={vi.fn()} />);
  const row = (words: string): HTMLElement => screen.getByText(new RegExp(words)).closest("li") ?? document.body;
  const buttonOf = (words: string, name: string): HTMLElement => within(row(words)).getByRole("button", { name });
  return { row, buttonOf };
}

test("after a decision the next change has the focus, after the last one the one before, and then what there is to say", async () => {
  const { row, buttonOf } = open();
  await screen.findByText(/First/);
  await userEvent.click(buttonOf("Second", "Drop mine"));
  await waitFor(() => expect(document.activeElement).toBe(row("Third")));
  await userEvent.click(buttonOf("Third", "Use mine"));
  await waitFor(() => expect(document.activeElement).toBe(row("First")));
  await userEvent.click(buttonOf("First", "Drop mine"));
  await waitFor(() => expect(document.activeElement?.textContent).toBe("Nothing is left to decide."));
  expect(document.activeElement?.closest("[role=dialog]")).not.toBeNull();
});

test("a change that could not be put back keeps the focus where it was", async () => {
  const { buttonOf } = open(false);
  await screen.findByText(/First/);
  await userEvent.click(buttonOf("Second", "Use mine"));
  expect(document.activeElement).toBe(buttonOf("Second", "Use mine"));
});
