import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import type { Role } from "../../api/types";
import { aProject } from "../sample_data";
import { renderPage, stubServer } from "../testing_page";
import { LoopSettingsForm } from "./LoopSettingsForm";
import { aModel } from "./sample_model";

const PUT = "PUT /api/projects/project-1/loop-settings";

interface Case {
  status?: number;
  body?: unknown;
  role?: Role;
}

function open({ status = 200, body = aModel(), role = "owner" }: Case = {}) {
  const sent = stubServer({ [PUT]: () => [status, body] });
  const onClose = vi.fn();
  renderPage(<LoopSettingsForm project={aProject({ role })} settings={aModel().settings} opened onClose={onClose} />);
  return { sent, onClose };
}

const threshold = () => screen.findByLabelText("Train after this many corrected cells");
const write = (field: HTMLElement, value: string) => fireEvent.change(field, { target: { value } });
const save = () => screen.getByRole<HTMLButtonElement>("button", { name: "Save" });

test("it saves all settings together", async () => {
  const { sent, onClose } = open();
  write(await threshold(), "1500");
  write(screen.getByLabelText("Crontab line"), "30 2 * * 1-5");
  expect(screen.getByTestId("schedule-preview").textContent).toBe("Trains at 02:30 on Monday to Friday.");
  await userEvent.click(screen.getByRole("switch", { name: /Deep training/ }));
  await userEvent.click(save());
  await waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  expect(sent.map(({ body }) => body)).toEqual([
    { correction_threshold: 1500, train_schedule: "30 2 * * 1-5", blind_held_out: true, held_out_target: 20, presegmentation: "auto", deep: true },
  ]);
});

test("it does not send a crontab line that makes no sense", async () => {
  const { sent } = open();
  write(await screen.findByLabelText("Crontab line"), "99 2 * * *");
  expect(screen.getByText("The minute goes from 0 to 59.")).toBeTruthy();
  expect(save().disabled).toBe(true);
  expect(sent).toEqual([]);
});

test("it does not train on nothing", async () => {
  open();
  write(await threshold(), "");
  expect(screen.getByText("At least 1 corrected cell.")).toBeTruthy();
  expect(save().disabled).toBe(true);
});

test("it shows what the server did not like and stays open", async () => {
  const { onClose } = open({ status: 400, body: { code: "invalid", detail: "That never happens." } });
  await threshold();
  await userEvent.click(save());
  expect((await screen.findByRole("alert")).textContent).toBe("That never happens.");
  expect(onClose).not.toHaveBeenCalled();
});

test("others see the settings, why they cannot change them, and no button to try", async () => {
  open({ role: "annotator" });
  expect((await threshold()).closest("fieldset")?.disabled).toBe(true);
  expect(screen.getByText(/Owners and admins of this project change these/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
});
