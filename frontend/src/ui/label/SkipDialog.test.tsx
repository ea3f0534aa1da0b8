import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { renderPage } from "../testing_page";
import { SkipDialog } from "./SkipDialog";

function open() {
  const onSkip = vi.fn();
  renderPage(<SkipDialog opened name="cells.tif" onSkip={onSkip} onClose={() => undefined} />);
  return onSkip;
}

const skip = () => screen.getByRole<HTMLButtonElement>("button", { name: "Skip this image" });

test("an image is not skipped without a reason", async () => {
  const onSkip = open();
  await userEvent.type(screen.getByLabelText("Reason"), "   ");
  expect(skip().disabled).toBe(true);
  expect(onSkip).not.toHaveBeenCalled();
});

test("a common reason is one press, and may be made more exact", async () => {
  const onSkip = open();
  await userEvent.click(screen.getByRole("button", { name: "Out of focus" }));
  await userEvent.type(screen.getByLabelText("Reason"), ", lower half");
  await userEvent.click(skip());
  expect(onSkip).toHaveBeenCalledWith("Out of focus, lower half");
});
