import { client, unwrap } from "./client";
import type { LabelSet } from "./types";

/** The cells that each of two versions finds on one image, in the order asked for. Nothing is stored. */
export async function versionsCompare(imageId: string, versions: readonly [string, string], signal: AbortSignal): Promise<LabelSet[]> {
  const answer = await unwrap(
    client.POST("/api/images/{image_id}/compare", { params: { path: { image_id: imageId } }, body: { versions: [...versions] }, signal }),
  );
  return answer.label_sets;
}
