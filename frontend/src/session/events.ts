import type { ImageEvent } from "../api/events";
import type { Tab } from "../api/presence";
import { openStream } from "../api/stream";
import type { LeaseNews } from "./lease";

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
  /** Of any image of the project. */
  onImage(news: ImageEvent): void;
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

const readImage = (news: Fields): ImageEvent | null => (typeof news.id === "string" ? (news as unknown as ImageEvent) : null);

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

/** The stream reconnects by itself; the server sends its state anew each time. */
export function listenToProject(projectId: string, listeners: Listeners): () => void {
  const on = <News>(read: (fields: Fields) => News | null, tell: ((news: News) => void) | undefined) => (text: string): void => {
    const fields = readFields(text);
    const news = fields && read(fields);
    if (news !== null) tell?.(news);
  };
  return openStream(projectId, {
    messages: {
      state: listeners.onConnect,
      model: listeners.onModel,
      classes: () => listeners.onClasses?.(),
      image: on(readImage, listeners.onImage),
      edit: on(readEdit, listeners.onEdit),
      lease: on(readLease, listeners.onLease),
      note: on(readOpen, listeners.onNote),
      proposal: on(readOpen, listeners.onProposal),
    },
  });
}
