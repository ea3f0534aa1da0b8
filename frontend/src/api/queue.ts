import { client, unwrap } from "./client";
import type { ImageDetail, ImageStatus } from "./types";

/** An image that waits for a person, and why it is its turn. */
export interface QueueItem {
  readonly image: {
    readonly id: string;
    readonly name: string;
    readonly status: ImageStatus;
    readonly thumbnail_url: string | null;
    readonly outlines_url: string | null;
    readonly cells: number;
    readonly to_check: number;
  };
  readonly reason: { readonly code: string; readonly detail: string };
}

export interface Queue {
  readonly next: QueueItem | null;
  readonly upcoming: readonly QueueItem[];
  readonly progress: {
    readonly total: number;
    readonly submitted: number;
    readonly open: number;
    readonly skipped: number;
    readonly waiting: number;
    readonly failed: number;
  };
}

const ofImage = (imageId: string) => ({ params: { path: { image_id: imageId } } });

/** What comes after an image for this tab: images that others hold are left out. */
export function queueGet(projectId: string, query: { after?: string; session?: string }): Promise<Queue> {
  return unwrap(client.GET("/api/projects/{project_id}/queue", { params: { path: { project_id: projectId }, query } }));
}

export function imageSkip(imageId: string, reason: string, session: string): Promise<{ readonly image: ImageDetail; readonly queue: Queue }> {
  return unwrap(client.POST("/api/images/{image_id}/skip", { ...ofImage(imageId), body: { reason, session } }));
}

/** Puts a skipped image back in its place. */
export function imageUnskip(imageId: string): Promise<ImageDetail> {
  return unwrap(client.DELETE("/api/images/{image_id}/skip", ofImage(imageId)));
}

/** Marks the image as done at this revision. */
export async function imageSubmit(imageId: string, revision: number, session: string): Promise<Queue> {
  const answer = await unwrap(client.POST("/api/images/{image_id}/submit", { ...ofImage(imageId), body: { revision, session } }));
  return answer.queue;
}

/** Has the model's embeddings made, if they are not there any more. */
export async function imageWarm(imageId: string): Promise<void> {
  await unwrap(client.POST("/api/images/{image_id}/warm", ofImage(imageId)));
}
