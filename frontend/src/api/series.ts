import { client, unwrap } from "./client";
import type { ImageStatus } from "./types";

export interface Frame {
  /** The image's id. */
  readonly image: string;
  readonly index: number;
  readonly name: string;
  readonly status: ImageStatus;
  readonly revision: number;
  readonly cells: number;
  readonly thumbnail_url: string | null;
}

/** A time-lapse or a z-stack: one image per frame. */
export interface Series {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly axis: "t" | "z";
  readonly count: number;
  readonly frames: readonly Frame[];
}

export function seriesGet(seriesId: string): Promise<Series> {
  return unwrap(client.GET("/api/series/{series_id}", { params: { path: { series_id: seriesId } } }));
}

export async function seriesDelete(seriesId: string): Promise<void> {
  await unwrap(client.DELETE("/api/series/{series_id}", { params: { path: { series_id: seriesId } } }));
}
