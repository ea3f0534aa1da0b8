import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { anImage } from "../sample_data";
import { renderPage } from "../testing_page";
import { ImageCard } from "./ImageCard";

function card(change: Parameters<typeof anImage>[0], canEdit = true) {
  renderPage(<ImageCard image={anImage(change)} canEdit={canEdit} />);
  return screen.getByTestId("image-card");
}

test("it follows the real progress", () => {
  expect(card({ status: "segmenting", progress: 0.43 }).textContent).toContain("Segmenting 43%");
  expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("43");
});

test("it opens an image that has cells and says how many to look at", () => {
  const shown = card({ status: "ready", cells: 38, to_check: 9 });
  expect(shown.textContent).toContain("38 cells");
  expect(screen.getByTitle("9 cells with a low score")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Open cells.tif, Ready" }).getAttribute("href")).toBe("/images/image-1");
});

test("it gives the reason of a failure and opens nothing", () => {
  expect(card({ status: "failed", error: "The file ends in the middle of page 3." }).textContent).toContain("middle of page 3");
  expect(screen.queryByRole("link")).toBeNull();
});

test("it asks only those for the channels who may answer", () => {
  expect(card({ status: "needs_channels" }, false).textContent).toContain("Waits until an annotator says");
});
