import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { aProject } from "../sample_data";
import { renderPage, stubServer } from "../testing_page";
import { ScheduleForm } from "./ScheduleForm";

function open(status = 200, body: unknown = aProject()) {
  const sent = stubServer({ "PATCH /api/projects/project-1": () => [status, body] });
  const onClose = vi.fn();
  renderPage(<ScheduleForm project={aProject({ train_schedule: "5 4 * * *" })} opened onClose={onClose} />);
  return { sent, onClose };
}

const threshold = () => screen.findByLabelText("Train after this many corrected cells");
const save = () => screen.getByRole<HTMLButtonElement>("button", { name: "Save" });

test("it saves the threshold and the schedule together", async () => {
  const { sent, onClose } = open();
  await userEvent.clear(await threshold());
  await userEvent.type(await threshold(), "1500");
  const line = screen.getByLabelText("Crontab line");
  await userEvent.clear(line);
  await userEvent.type(line, "30 2 * * 1-5");
  await userEvent.click(save());
  await waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  expect(sent).toEqual([{ method: "PATCH", path: "/api/projects/project-1", body: { correction_threshold: 1500, train_schedule: "30 2 * * 1-5" } }]);
});

test("it does not send a crontab line that makes no sense", async () => {
  const { sent } = open();
  await userEvent.clear(await screen.findByLabelText("Crontab line"));
  await userEvent.type(screen.getByLabelText("Crontab line"), "99 2 * * *");
  expect(screen.getByText("The minute goes from 0 to 59.")).toBeTruthy();
  expect(save().disabled).toBe(true);
  expect(sent).toEqual([]);
});

test("it does not train on nothing", async () => {
  open();
  await userEvent.clear(await threshold());
  expect(screen.getByText("At least 1 corrected cell.")).toBeTruthy();
  expect(save().disabled).toBe(true);
});

test("it shows what the server did not like and stays open", async () => {
  const { onClose } = open(400, { code: "invalid", detail: "That never happens." });
  await threshold();
  await userEvent.click(save());
  expect((await screen.findByRole("alert")).textContent).toBe("That never happens.");
  expect(onClose).not.toHaveBeenCalled();
});
