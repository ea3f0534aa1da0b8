import { client, unwrap } from "./client";
import { apiErrorFrom, OfflineError } from "./errors";
import type { paths } from "./schema";
import type { ImagePage } from "./types";

export type ImageListQuery = NonNullable<paths["/api/projects/{project_id}/images"]["get"]["parameters"]["query"]>;
export type ImageOrder = NonNullable<ImageListQuery["order"]>;

export function imagePage(projectId: string, query: ImageListQuery): Promise<ImagePage> {
  return unwrap(client.GET("/api/projects/{project_id}/images", { params: { path: { project_id: projectId }, query } }));
}

export async function imageDelete(id: string): Promise<void> {
  await unwrap(client.DELETE("/api/images/{image_id}", { params: { path: { image_id: id } } }));
}

export async function imageSegment(id: string): Promise<void> {
  await unwrap(client.POST("/api/images/{image_id}/segment", { params: { path: { image_id: id } } }));
}

export type ExportFormat = "label-tiff" | "coco";

export interface ExportedFile {
  name: string;
  content: Blob;
  /** What the format could not carry, in the server's words; empty when it carried all. */
  report: string;
}

function attachmentName(disposition: string | null, fallback: string): string {
  const encoded = disposition?.match(/filename\*=UTF-8''([^;]+)/i)?.[1];
  if (encoded) return decodeURIComponent(encoded);
  return disposition?.match(/filename="?([^";]+)"?/i)?.[1] ?? fallback;
}

/** A file with a header to read, so it is fetched here and not by a plain link. */
export async function imageExport(id: string, imageName: string, format: ExportFormat): Promise<ExportedFile> {
  const stem = imageName.replace(/\.[^.]+$/, "");
  const fallback = format === "coco" ? `${stem}.json` : `${stem}_labels.tif`;
  let response: Response;
  try {
    response = await fetch(`/api/images/${encodeURIComponent(id)}/export?format=${format}`, { credentials: "same-origin" });
  } catch {
    throw new OfflineError();
  }
  if (!response.ok) throw apiErrorFrom(response.status, await response.json().catch(() => null));
  return {
    name: attachmentName(response.headers.get("Content-Disposition"), fallback),
    content: await response.blob(),
    report: response.headers.get("X-CellLoop-Report") ?? "",
  };
}
