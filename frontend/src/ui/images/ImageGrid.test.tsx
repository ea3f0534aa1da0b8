import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { aPage, aProject } from "../sample_data";
import { renderPage, stubServer } from "../testing_page";
import { FILTERS, filterOf } from "./filters";
import { ImageGrid } from "./ImageGrid";

function open(key: string) {
  stubServer({ "GET /api/projects/project-1/images": () => [200, aPage([], { total: 0 })] });
  renderPage(<ImageGrid project={aProject()} filter={filterOf(key)} order="-created" />);
}

test("while the first files are on their way, no filter is to blame", async () => {
  open("all");
  expect(await screen.findByText("No images yet")).toBeTruthy();
  expect(screen.queryByText("Choose another filter above.")).toBeNull();
});

test.each(FILTERS.filter((filter) => filter.status !== "").map((filter) => [filter.key, filter.none]))("an empty filter says so: %s", async (key, words) => {
  open(key);
  expect(await screen.findByText(words)).toBeTruthy();
  expect(screen.getByText("Choose another filter above.")).toBeTruthy();
});
