import { type LeaseAnswer, leaseBeat, leaseLeave } from "../api/presence";
import type { ImageDetail, Project, User } from "../api/types";
import type { HistoryState } from "../document/history";
import { type Leftover, type LocalStore, type StoredEdit, openLocalStore, scopeOf } from "./localStore";
import { prefetch } from "./prefetch";
import { type LoadedCells, fetchCells, fetchEdits, fetchImage, fetchProject } from "./requests";
import { isClosedTab, openTabs, tabSession } from "./tab";

export interface Overview {
  readonly user: User;
  readonly image: ImageDetail;
  readonly project: Project;
  /** Fetched ahead, if they were. */
  readonly cells: LoadedCells | null;
}

/** Everything that a session starts from. */
export interface Opened extends Overview {
  readonly tab: string;
  readonly lease: LeaseAnswer;
  readonly cells: LoadedCells;
  /** Null if this browser keeps nothing (private mode). */
  readonly local: LocalStore | null;
  /** Changes of an earlier visit that the server has not got; only for the tab that may change the image. */
  readonly waiting: readonly StoredEdit[];
  readonly leftovers: readonly Leftover[];
  readonly history: HistoryState;
}

/** Whether the picture can be shown yet; before that there are no tiles. */
export const hasPixels = (image: ImageDetail): boolean => image.levels.length > 0 && image.width > 0;

export async function loadOverview(imageId: string, user: User): Promise<Overview> {
  const ahead = await prefetch.take(imageId)?.catch(() => null);
  const image = ahead?.image ?? (await fetchImage(imageId));
  return { user, image, project: await fetchProject(image.project), cells: ahead?.cells ?? null };
}

/** Changes kept by tabs that are closed, and by `tab` itself (null: by no other), without those that did reach the server although its answer was lost. */
export async function leftBehind(imageId: string, local: LocalStore, tab: string | null): Promise<StoredEdit[]> {
  const open = await openTabs();
  const kept = (await local.edits()).filter((edit) => edit.tab === tab || !open.has(edit.tab));
  if (kept.length === 0) return [];
  const edits = await fetchEdits(imageId, Math.min(...kept.map((edit) => edit.base)));
  const arrived = new Set(edits.map((edit) => edit.id));
  for (const edit of kept) if (arrived.has(edit.id)) await local.drop(edit.id);
  return kept.filter((edit) => !arrived.has(edit.id));
}

/** Asks for the lease; takes it from a tab of our own that crashed or was closed while the server was away. */
export async function askLease(imageId: string, userId: number, tab: string, want: boolean): Promise<LeaseAnswer> {
  const answer = await leaseBeat(imageId, { session: tab, want });
  const { holder } = answer;
  if (!want || answer.mine || holder?.id !== userId || !(await isClosedTab(holder.session))) return answer;
  return leaseBeat(imageId, { session: tab, take_over: true });
}

export async function openImage(overview: Overview): Promise<Opened> {
  const { image, project } = overview;
  const tab = await tabSession();
  const want = project.role !== "viewer";
  // A page that is closed while it still opens must not keep the lease that it has just asked for.
  const onHide = (): void => leaseLeave(image.id, tab);
  globalThis.addEventListener("pagehide", onHide);
  try {
    return await opened(overview, tab, want);
  } finally {
    globalThis.removeEventListener("pagehide", onHide);
  }
}

async function opened(overview: Overview, tab: string, want: boolean): Promise<Opened> {
  const { image, user } = overview;
  const [lease, local, ahead] = await Promise.all([
    askLease(image.id, user.id, tab, want),
    openLocalStore(scopeOf(user.id, image.id)).catch(() => null),
    overview.cells ?? fetchCells(image.id),
  ]);
  // Cells that were fetched ahead may be older than what the lease says.
  const cells = ahead.revision === lease.revision ? ahead : await fetchCells(image.id);
  const waiting = local && lease.mine ? await leftBehind(image.id, local, tab) : [];
  const history = (await local?.history()) ?? { entries: [], cursor: 0 };
  return { ...overview, tab, lease, cells, local, waiting, history, leftovers: (await local?.leftovers()) ?? [] };
}

/** For an image that was left before it was shown: nobody must wait for its lease to run out. */
export function closeOpened({ image, tab, local }: Opened): void {
  local?.close();
  leaseLeave(image.id, tab);
}
