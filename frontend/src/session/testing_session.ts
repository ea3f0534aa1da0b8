/** A whole session on a small image for the tests, without a picture and without storage; `answers` are the server's. */
import type { Box } from "../document/box";
import { at, drag } from "../tools/testing_hand";
import { type PageActions, createHands } from "./actions";
import { createImageSession } from "./imageSession";
import type { Opened } from "./openImage";
import { stubServer } from "./testing_answers";

const SIDE = 64;

const IMAGE = {
  id: "i", project: "p", name: "cells.tif", width: SIDE, height: SIDE, dtype: "uint8", channels: [{ name: "DAPI" }], pixel_size_um: null, status: "in_progress",
  revision: 0, notes: [], series: null, proposals: 0, previous: "h", next: "j", position: 2, total: 3, levels: [], tile_size: SIDE,
};

const OPENED = {
  user: { id: 1, username: "alice", name: "Alice Adler", initials: "AA", is_staff: false },
  image: IMAGE,
  project: { id: "p", name: "Pilot", role: "owner", active_version: { id: "v", name: "v5", takes_points: true } },
  tab: "tab-1",
  lease: { mine: true, holder: null, people: [], revision: 0, beat_s: 3600 },
  cells: { revision: 0, nextLabel: 1, cells: [] },
  local: null,
  waiting: [],
  leftovers: [],
  history: { entries: [], cursor: 0 },
} as unknown as Opened;

const PROGRESS = { total: 3, submitted: 1, open: 2, skipped: 0, waiting: 0, failed: 0 };
const NEXT = { image: { id: "j", name: "next.tif" }, reason: { code: "oldest", detail: "Oldest image that nobody has opened" } };
const QUEUE = { next: NEXT, upcoming: [NEXT], progress: PROGRESS };

/** What the model finds for a box: all of it. */
export function maskAnswer(body: unknown): unknown {
  const { box } = body as { box: Box };
  return { box, rle: [0, (box[2] - box[0]) * (box[3] - box[1])], score: 0.9, model_version: "v5", timings: { queue_ms: 1, model_ms: 2, total_ms: 3 } };
}

export function openSession(answers: Parameters<typeof stubServer>[0] = {}) {
  let revision = 0;
  const sent = stubServer({
    "POST /api/images/i/edits": ({ body }) => [200, { id: (body as { id: string }).id, revision: ++revision }],
    "POST /api/images/i/decode": ({ body }) => [200, maskAnswer(body)],
    "POST /api/images/i/submit": () => [200, { queue: QUEUE }],
    "POST /api/images/i/skip": () => [200, { image: IMAGE, queue: QUEUE }],
    "POST /api/images/i/leave": () => [204, null],
    ...answers,
  });
  const session = createImageSession(OPENED);
  const said: string[] = [];
  session.notice.subscribe(() => said.push(session.notice.get()?.words ?? ""));
  const opened: string[] = [];
  const nothing = (): void => undefined;
  const page = { address: "/images/i" };
  const actions: PageActions = {
    openImage: (id) => opened.push(id), leave: () => opened.push("the project"), address: () => page.address,
    askSkip: nothing, askNote: nothing, showKeys: nothing, goToPart: nothing,
  };
  const hands = createHands(session, actions);
  /** What became of the image, in order. */
  const changesSent = (): string[] => sent.flatMap(({ path }) => /^\/api\/images\/i\/(edits|submit|skip|leave)$/.exec(path)?.[1] ?? []);
  const box = ([x0, y0, x1, y1]: Box): void => {
    if (session.tool.get() !== "smart-box") hands.run("tool.smart-box");
    drag(session.tools["smart-box"], at(x0, y0), at(x1, y1));
  };
  return { session, hands, page, sent, said, opened, changesSent, box };
}
