/** A project's live events, with the messages checked. */
import { openStream } from "./stream";
import type { Image, JobRef, ProjectCounts } from "./types";

/** What changed of an image; "deleted" is the last that is ever said of one. */
export type ImageEvent = Pick<Image, "id"> & Partial<Omit<Image, "id" | "status">> & { status?: Image["status"] | "deleted" };

export type JobEvent = Pick<JobRef, "id" | "kind" | "status" | "progress" | "message">;

export type ProjectEvent =
  | { type: "state"; counts: ProjectCounts | null; jobs: JobRef[] }
  | { type: "image"; image: ImageEvent }
  | { type: "job"; job: JobEvent }
  | { type: "note"; image: string; open: number }
  | { type: "model" }
  /** Cells changed somewhere in the project, or its classes did: counts may be others now. */
  | { type: "edit" }
  | { type: "classes" };

export type EventType = ProjectEvent["type"];

export const EVENT_TYPES: readonly EventType[] = ["state", "image", "job", "note", "model", "edit", "classes"];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Null for a message that is not ours: a stream must not be able to break the page. */
export function parseEvent(type: EventType, text: string): ProjectEvent | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(body)) return null;
  if (type === "model" || type === "edit" || type === "classes") return { type };
  if (type === "note") return typeof body.image === "string" && typeof body.open === "number" ? { type, image: body.image, open: body.open } : null;
  if (typeof body.id !== "string" && type !== "state") return null;
  if (type === "job") return { type, job: body as unknown as JobEvent };
  if (type === "image") return { type, image: body as unknown as ImageEvent };
  return {
    type,
    counts: isRecord(body.counts) ? (body.counts as unknown as ProjectCounts) : null,
    jobs: Array.isArray(body.jobs) ? (body.jobs as JobRef[]) : [],
  };
}

export interface EventListener {
  onEvent: (event: ProjectEvent) => void;
  /** True once the stream is open, false while it is down and being reopened. */
  onConnection: (open: boolean) => void;
}

/** Returns the function that closes the stream. */
export function projectEvents(projectId: string, { onEvent, onConnection }: EventListener): () => void {
  const take = (type: EventType) => (text: string): void => {
    const event = parseEvent(type, text);
    if (event !== null) onEvent(event);
  };
  return openStream(projectId, { messages: Object.fromEntries(EVENT_TYPES.map((type) => [type, take(type)])), onConnection });
}
