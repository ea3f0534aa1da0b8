import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { aProject } from "../sample_data";
import { renderPage, stubServer } from "../testing_page";
import { ClassesPage } from "./ClassesPage";

const INTERPHASE = { id: "c1", name: "Interphase", colour: "#fff53b", key: 1, order: 0, archived: false };
const DEBRIS = { id: "c2", name: "Debris", colour: "#b06fff", key: null, order: 1, archived: true };

function open(role: "owner" | "annotator" = "owner") {
  const sent = stubServer({
    "GET /api/projects/project-1/classes": () => [200, { classes: [INTERPHASE, DEBRIS] }],
    "GET /api/projects/project-1/class-counts": () => [200, { classes: [{ class_id: "c1", cells: 80 }, { class_id: null, cells: 3 }] }],
    "POST /api/projects/project-1/classes": ({ body }) => [201, { ...INTERPHASE, ...(body as object), id: "c3" }],
    "DELETE /api/classes/c1": () => [200, { deleted: false, class: { ...INTERPHASE, archived: true } }],
  });
  renderPage(<ClassesPage project={aProject({ role })} />);
  return sent;
}

const row = async (name: string): Promise<HTMLElement> => {
  await screen.findAllByTestId("class");
  const found = screen.getAllByTestId("class").find((candidate) => candidate.dataset.name === name);
  if (!found) throw new Error(`no class ${name}`);
  return found;
};

test("it shows how many cells have each class and how many have none", async () => {
  open();
  await waitFor(async () => expect((await row("Interphase")).textContent).toContain("80"));
  expect(screen.getByText("3 cells have no class.")).toBeTruthy();
});

test("a new class comes with a free colour and a free digit", async () => {
  const sent = open();
  await userEvent.type(await screen.findByLabelText("Name"), "Mitotic");
  await userEvent.click(screen.getByRole("button", { name: "Add class" }));
  await waitFor(() => expect(sent.find(({ method }) => method === "POST")?.body).toEqual({ name: "Mitotic", colour: "#ff5232", key: 2 }));
});

test("deleting a class that cells have says that it is archived", async () => {
  const sent = open();
  await userEvent.click(within(await row("Interphase")).getByRole("button", { name: "Delete Interphase" }));
  expect(await screen.findByText(/80 cells have this class and will keep it/)).toBeTruthy();
  await userEvent.click(screen.getByTestId("confirm"));
  await waitFor(() => expect(sent.some(({ method }) => method === "DELETE")).toBe(true));
});

test("someone who may not change classes is offered nothing", async () => {
  open("annotator");
  await row("Interphase");
  expect(screen.queryByTestId("class-form")).toBeNull();
  expect(screen.queryAllByRole("button")).toEqual([]);
});
