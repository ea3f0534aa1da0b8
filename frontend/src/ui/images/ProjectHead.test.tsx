import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";

import { anImage, aPage, aProject } from "../sample_data";
import { renderPage, stubServer } from "../testing_page";
import { ProjectHead } from "./ProjectHead";

afterEach(() => void vi.unstubAllGlobals());

const COUNTS = { ...aProject().counts, total: 2, ready: 2 };
const PROGRESS = { total: 2, submitted: 0, open: 2, skipped: 0, waiting: 0, failed: 0 };
const UNSURE = { image: { id: "unsure", name: "b.tif", status: "ready" }, reason: { code: "unsure", detail: "The model is unsure about it" } };

/** A project whose oldest image is not the next of its queue. */
function open(next: typeof UNSURE | null) {
  const sent = stubServer({
    "GET /api/projects/project-1/images": () => [200, aPage([anImage({ id: "oldest" }), anImage({ id: "unsure" })])],
    "GET /api/projects/project-1/queue": () => [200, { next, upcoming: next ? [next] : [], progress: PROGRESS }],
  });
  const { history } = renderPage(<ProjectHead project={aProject({ counts: COUNTS })} />, "/projects/project-1");
  return { sent, history };
}

test("the next image is the one that the queue says, and not the oldest that is ready", async () => {
  const { history, sent } = open(UNSURE);
  await userEvent.click(screen.getByTestId("label-next"));
  await waitFor(() => expect(history?.at(-1)).toBe("/images/unsure"));
  expect(sent.map(({ path }) => path)).toEqual(["/api/projects/project-1/queue"]);
});

test("where the queue has nothing for this person, the page stays", async () => {
  const { history, sent } = open(null);
  await userEvent.click(screen.getByTestId("label-next"));
  await waitFor(() => expect(sent).toHaveLength(1));
  expect(history).toEqual(["/projects/project-1"]);
});
