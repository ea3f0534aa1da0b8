import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { anImage, aPage, aProject } from "../sample_data";
import { renderPage, stubServer } from "../testing_page";
import { ChannelMapPanel } from "./ChannelMapPanel";

const COUNTS = { total: 2, queued: 0, segmenting: 0, ready: 0, in_progress: 0, submitted: 0, failed: 0, needs_channels: 2 };
const waiting = anImage({ status: "needs_channels", channels: [{ name: "DAPI" }, { name: "Actin" }] });

function open(role: "owner" | "viewer" = "owner", images = [waiting]) {
  const sent = stubServer({
    "GET /api/projects/project-1/images": () => [200, aPage(images)],
    "PUT /api/projects/project-1/channel-map": ({ body }) => [200, { channel_map: body, continued: 2 }],
  });
  renderPage(<ChannelMapPanel project={aProject({ counts: COUNTS, role })} />);
  return sent;
}

const save = () => screen.findByRole("button", { name: "Save and segment" });
const put = (sent: ReturnType<typeof open>) => sent.find((request) => request.method === "PUT")?.body;

test("it offers what the names suggest and sends it", async () => {
  const sent = open();
  expect(await screen.findByText("2 images wait for this. Channels in them: DAPI and Actin.")).toBeTruthy();
  await userEvent.click(await save());
  await waitFor(() => expect(put(sent)).toEqual({ nuclear: "DAPI", whole_cell: "Actin", rgb: false }));
});

test("it asks about colour only where an image has it, beside the named channels", async () => {
  const sent = open("owner", [waiting, anImage({ id: "stain", status: "needs_channels", channels: ["Red", "Green", "Blue"].map((name) => ({ name })) })]);
  const stain = await screen.findByLabelText<HTMLInputElement>("Colour images are stained tissue");
  expect(stain.checked).toBe(true);
  await userEvent.click(await save());
  await waitFor(() => expect(put(sent)).toEqual({ nuclear: "DAPI", whole_cell: "Actin", rgb: true }));
});

test("it leaves the colour question out for other images", async () => {
  open();
  await save();
  expect(screen.queryByLabelText("Colour images are stained tissue")).toBeNull();
});

test("it asks nothing of someone who may not answer", () => {
  open("viewer");
  expect(screen.queryByTestId("channel-map-panel")).toBeNull();
});
