/** Which images and versions can be compared, and which are looked at first. */
import type { Image, ModelVersion, ProjectModel } from "../../api/types";

const SEEN = new Set<Image["status"]>(["ready", "in_progress", "submitted"]);

/** A held-out image keeps its secret until it is submitted: whoever has seen outlines no longer labels blind. */
export function isComparable(image: Image): boolean {
  return SEEN.has(image.status) && (!image.blind || image.status === "submitted");
}

/** Held-out images first: there neither version has an advantage. */
export function firstImage(images: readonly Image[]): Image | undefined {
  return images.find((image) => image.split === "held_out" && image.status === "submitted") ?? images[0];
}

/** The active version beside the newest other one; a project with one version has none to compare. */
export function firstVersions({ versions, active }: Pick<ProjectModel, "versions" | "active">): [ModelVersion, ModelVersion] | null {
  const usable = versions.filter((version) => version.state !== "failed");
  const other = usable.find((version) => version.id !== active?.id);
  const current = usable.find((version) => version.id === active?.id) ?? usable.find((version) => version.id !== other?.id);
  if (!other || !current) return null;
  return other.number > current.number ? [current, other] : [other, current];
}

export function comparePath(projectId: string, { left, right, image }: { left: string; right: string; image?: string | undefined }): string {
  const search = new URLSearchParams({ left, right, ...(image ? { image } : {}) });
  return `/projects/${projectId}/compare?${search.toString()}`;
}
