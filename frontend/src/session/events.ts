import type { Tab } from "../api/presence";
import type { LeaseNews } from "./lease";

/** What the server tells while the page is open, as far as the labelling page listens. */
export interface ImageNews {
  readonly id: string;
  readonly status: string;
  readonly progress: number | null;
  readonly error: string;
  readonly revision: number;
}

/** An edit was committed: somebody's, an accepted proposal's or a segmentation's. */
export interface EditNews {
  readonly image: string;
  readonly revision: number;
  /** The tab that made it, if a tab did. */
  readonly session: string | null;
}

interface Listeners {
  /** (Re)connected: anything may have happened meanwhile. */
  onConnect(): void;
  onImage(news: ImageNews): void;
  /** Another model version may be active now. */
  onModel(): void;
  onEdit?(news: EditNews): void;
  onLease?(news: LeaseNews & { readonly image: string }): void;
  onNote?(news: { readonly image: string; readonly open: number }): void;
  onClasses?(): void;
  onProposal?(news: { readonly image: string; readonly open: number }): void;
}

type Fields = Readonly<Record<string, unknown>>;

function readFields(text: string): Fields | null {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function readImage(news: Fields): ImageNews | null {
  const { id, status, revision, progress, error } = news;
  if (typeof id !== "string" || typeof status !== "string" || typeof revision !== "number") return null;
  return { id, status, revision, progress: typeof progress === "number" ? progress : null, error: typeof error === "string" ? error : "" };
}

function readEdit({ image, revision, session }: Fields): EditNews | null {
  if (typeof image !== "string" || typeof revision !== "number") return null;
  return { image, revision, session: typeof session === "string" ? session : null };
}

function readTab(value: unknown): Tab | null {
  if (typeof value !== "object" || value === null) return null;
  const tab = value as Partial<Tab>;
  return typeof tab.id === "number" && typeof tab.name === "string" && typeof tab.session === "string" ? (value as Tab) : null;
}

function readLease({ image, holder, people, taken_from }: Fields): (LeaseNews & { image: string }) | null {
  if (typeof image !== "string" || !Array.isArray(people)) return null;
  const here = people.flatMap((one) => readTab(one) ?? []);
  return { image, holder: readTab(holder), people: here, taken_from: typeof taken_from === "string" ? taken_from : null };
}

function readOpen({ image, open }: Fields): { image: string; open: number } | null {
  return typeof image === "string" && typeof open === "number" ? { image, open } : null;
}

/** The browser reconnects by itself; the server sends its state anew each time. */
export function listenToProject(projectId: string, listeners: Listeners): () => void {
  if (typeof EventSource === "undefined") return () => undefined;
  const source = new EventSource(`/api/projects/${projectId}/events`);
  const on = <News>(type: string, read: (fields: Fields) => News | null, tell: ((news: News) => void) | undefined): void =>
    source.addEventListener(type, (event: MessageEvent<string>) => {
      const fields = readFields(event.data);
      const news = fields && read(fields);
      if (news !== null) tell?.(news);
    });
  source.addEventListener("state", () => listeners.onConnect());
  source.addEventListener("model", () => listeners.onModel());
  source.addEventListener("classes", () => listeners.onClasses?.());
  on("image", readImage, listeners.onImage);
  on("edit", readEdit, listeners.onEdit);
  on("lease", readLease, listeners.onLease);
  on("note", readOpen, listeners.onNote);
  on("proposal", readOpen, listeners.onProposal);
  return () => source.close();
}
