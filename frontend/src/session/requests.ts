import { client, unwrap, writeHeaders } from "../api/client";
import { apiErrorFrom, OfflineError } from "../api/errors";
import type { ImageDetail, Project } from "../api/types";
import type { Cell, Patch } from "../document/patch";
import { readBox, readCell, readPatch } from "../document/wire";
import type { Tile, TileAddress } from "../render/tileCache";
import type { DecodedMask, Prompt } from "../tools/tool";

/** The labelling page's requests, with answers turned into the document's own types. */

export const fetchImage = (id: string): Promise<ImageDetail> =>
  unwrap(client.GET("/api/images/{image_id}", { params: { path: { image_id: id } } }));

export const fetchProject = (id: string): Promise<Project> =>
  unwrap(client.GET("/api/projects/{project_id}", { params: { path: { project_id: id } } }));

export interface LoadedCells {
  readonly revision: number;
  readonly nextLabel: number;
  readonly cells: readonly Cell[];
}

export async function fetchCells(id: string): Promise<LoadedCells> {
  const answer = await unwrap(client.GET("/api/images/{image_id}/cells", { params: { path: { image_id: id } } }));
  return { revision: answer.revision, nextLabel: answer.next_label, cells: answer.cells.map(readCell) };
}

const wireCell = (cell: Cell) => ({ ...cell, box: [...cell.box], rle: [...cell.rle] });

export async function postEdit(imageId: string, tab: string, edit: { id: string; patch: Patch }, baseRevision: number): Promise<number> {
  const { id, patch } = edit;
  const body = {
    id,
    base_revision: baseRevision,
    session: tab,
    patch: {
      added: patch.added.map(wireCell),
      updated: patch.updated.map(({ before, after }) => ({ before: wireCell(before), after: wireCell(after) })),
      removed: patch.removed.map(wireCell),
    },
  };
  const saved = await unwrap(client.POST("/api/images/{image_id}/edits", { params: { path: { image_id: imageId } }, body }));
  return saved.revision;
}

export interface ServerEdit {
  readonly id: string;
  readonly revision: number;
  readonly patch: Patch;
}

/** Edits as they come in an answer; a form that is not ours is a PatchError. */
export function readEdits(edits: readonly { id: string; revision: number; patch: unknown }[]): ServerEdit[] {
  return edits.map(({ id, revision, patch }) => ({ id, revision, patch: readPatch(patch) }));
}

/** All edits after a revision, page by page. */
export async function fetchEdits(imageId: string, after: number): Promise<ServerEdit[]> {
  const all: ServerEdit[] = [];
  for (let last = after; ; ) {
    const answer = await unwrap(
      client.GET("/api/images/{image_id}/edits", { params: { path: { image_id: imageId }, query: { after: last } } }),
    );
    all.push(...readEdits(answer.edits));
    const reached = all.at(-1)?.revision ?? last;
    if (reached === last || reached >= answer.revision) return all;
    last = reached;
  }
}

export interface DecodeAnswer extends DecodedMask {
  readonly totalMs: number;
}

export async function postDecode(imageId: string, { box, points }: Prompt, signal: AbortSignal): Promise<DecodeAnswer> {
  const answer = await unwrap(
    client.POST("/api/images/{image_id}/decode", { params: { path: { image_id: imageId } }, body: { box: [...box], points: [...points] }, signal }),
  );
  return {
    mask: { box: readBox(answer.box), rle: answer.rle },
    score: answer.score,
    modelVersion: answer.model_version,
    totalMs: answer.timings.total_ms,
  };
}

/** Runs the model again on an image; the job's progress comes with the project's events. */
export async function postSegment(imageId: string): Promise<void> {
  await unwrap(client.POST("/api/images/{image_id}/segment", { params: { path: { image_id: imageId } } }));
}

/** Raw little-endian samples, as the tile route sends them; the generated client only speaks JSON. */
export async function fetchTile(
  imageId: string,
  dtype: string,
  { channel, level, row, column }: TileAddress,
  signal: AbortSignal,
): Promise<Tile> {
  const url = `/api/images/${imageId}/tiles/${channel}/${level}/${row}/${column}`;
  const answer = await fetch(url, { signal, credentials: "same-origin", headers: writeHeaders() }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new OfflineError();
  });
  if (!answer.ok) throw apiErrorFrom(answer.status, null);
  const bytes = await answer.arrayBuffer();
  const width = Number(answer.headers.get("X-Tile-Width"));
  const height = Number(answer.headers.get("X-Tile-Height"));
  const samples = dtype === "uint16" ? new Uint16Array(bytes) : new Uint8Array(bytes);
  if (samples.length !== width * height) throw new Error("A tile of the image came back with the wrong size.");
  return { width, height, samples };
}
