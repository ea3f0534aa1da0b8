import { client, unwrap } from "./client";
import type { Person } from "./notes";

/** What one edit did to one cell. */
export interface CellChange {
  readonly revision: number;
  readonly created_at: string;
  /** Null: the model, or somebody whose account is gone; `source` tells which. */
  readonly author: Person | null;
  readonly source: "model" | "person";
  readonly changes: readonly ("added" | "removed" | "shape" | "label" | "class" | "checked")[];
  /** After the change. */
  readonly class_id: string | null;
  /** The name of the model that drew the mask of then; null: a person did. */
  readonly drawn_by: string | null;
}

/** The newest first. */
export async function cellHistory(imageId: string, cellId: string): Promise<readonly CellChange[]> {
  const answer = await unwrap(
    client.GET("/api/images/{image_id}/cells/{cell_id}/history", { params: { path: { image_id: imageId, cell_id: cellId } } }),
  );
  return answer.changes;
}
