import type { ImageDetail, Project, User } from "../api/types";
import type { HistoryState } from "../document/history";
import { type LocalStore, type StoredEdit, openLocalStore } from "./localStore";
import { type LoadedCells, fetchCells, fetchEdits, fetchImage, fetchProject } from "./requests";

export interface Overview {
  readonly user: User;
  readonly image: ImageDetail;
  readonly project: Project;
}

/** Everything that a session starts from. */
export interface Opened extends Overview {
  readonly cells: LoadedCells;
  /** Null if this browser keeps nothing (private mode). */
  readonly local: LocalStore | null;
  /** Changes of an earlier visit that the server has not got. */
  readonly waiting: readonly StoredEdit[];
  readonly history: HistoryState;
}

/** Whether the picture can be shown yet; before that there are no tiles. */
export const hasPixels = (image: ImageDetail): boolean => image.levels.length > 0 && image.width > 0;

export async function loadOverview(imageId: string, user: User): Promise<Overview> {
  const image = await fetchImage(imageId);
  return { user, image, project: await fetchProject(image.project) };
}

/** Drops the kept changes that did reach the server, whose answer was lost; returns the others. */
async function stillWaiting(imageId: string, local: LocalStore): Promise<StoredEdit[]> {
  const kept = await local.edits();
  if (kept.length === 0) return [];
  const { edits } = await fetchEdits(imageId, Math.min(...kept.map((edit) => edit.base)));
  const arrived = new Set(edits.map((edit) => edit.id));
  for (const edit of kept) if (arrived.has(edit.id)) await local.drop(edit.id);
  return kept.filter((edit) => !arrived.has(edit.id));
}

export async function openImage(overview: Overview): Promise<Opened> {
  const { image, user } = overview;
  const local = await openLocalStore(`${user.id}:${image.id}`).catch(() => null);
  const waiting = local ? await stillWaiting(image.id, local) : [];
  const history = (await local?.history()) ?? { entries: [], cursor: 0 };
  return { ...overview, cells: await fetchCells(image.id), local, waiting, history };
}
