import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { renderPage } from "../testing_page";
import { Runs } from "./Runs";
import { aModel, anEvaluation, aRun, aVersion } from "./sample_model";

/** A run that tried one version, measured on so many images. */
function open(images: number) {
  const tried = aVersion({ id: "v3", number: 3, name: "v3", rung: 1, evaluation: { ...anEvaluation(1, 1), images }, metrics: { f1: 1, images } });
  const run = aRun({ candidates: [{ id: "v3", name: "v3", number: 3, rung: 1, status: "rejected", reason: "", f1: 1 }] });
  const model = aModel();
  const onFigures = vi.fn();
  renderPage(<Runs model={{ ...model, versions: [tried, ...model.versions], runs: [run] }} onFigures={onFigures} />);
  return onFigures;
}

test("a version that was measured shows its F1, and its figures at a press", async () => {
  const onFigures = open(6);
  const row = within(await screen.findByTestId("candidate"));
  expect(row.getByText("F1 1.00")).toBeTruthy();
  await userEvent.click(row.getByRole("button", { name: "Figures of v3" }));
  expect(onFigures).toHaveBeenCalledExactlyOnceWith("v3");
});

test("a version that was measured on no image shows no F1 and no figures", async () => {
  open(0);
  const row = within(await screen.findByTestId("candidate"));
  expect(row.getByText("F1 –")).toBeTruthy();
  expect(row.queryByRole("button")).toBeNull();
});
