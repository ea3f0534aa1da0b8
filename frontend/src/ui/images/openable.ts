import type { Image, ImageStatus } from "../../api/types";

const OPENABLE: ReadonlySet<ImageStatus> = new Set(["segmenting", "ready", "in_progress", "submitted"]);

/** Whether the labelling page has something to show: before it is read, an image has no pixels. */
export function canOpen(image: Pick<Image, "status">): boolean {
  return OPENABLE.has(image.status);
}
