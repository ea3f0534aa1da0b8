import { client, unwrap, writeHeaders } from "./client";

/** One open tab of one person on an image. */
export interface Tab {
  readonly id: number;
  readonly name: string;
  readonly initials: string;
  readonly session: string;
  readonly editing: boolean;
}

export interface LeaseAnswer {
  readonly mine: boolean;
  readonly holder: Tab | null;
  readonly people: readonly Tab[];
  readonly revision: number;
  /** Seconds between two beats. */
  readonly beat_s: number;
}

/** `want`: to change cells, as soon as nobody else does. `take_over`: now. */
export function leaseBeat(imageId: string, { session, want = true, take_over = false }: { session: string; want?: boolean; take_over?: boolean }): Promise<LeaseAnswer> {
  return unwrap(client.POST("/api/images/{image_id}/lease", { params: { path: { image_id: imageId } }, body: { session, want, take_over } }));
}

/** Outlives the page that sends it; whether it arrives is not awaited: a lease runs out by itself. */
export function leaseLeave(imageId: string, session: string): void {
  const url = `/api/images/${encodeURIComponent(imageId)}/leave`;
  const headers = { ...writeHeaders(), "Content-Type": "application/json" };
  fetch(url, { method: "POST", keepalive: true, credentials: "same-origin", headers, body: JSON.stringify({ session }) }).catch(() => undefined);
}
