/** The filters above the grid and what each asks the server for. */
import type { ImageOrder } from "../../api/images";
import type { ImageStatus, ProjectCounts } from "../../api/types";

export interface Filter {
  key: string;
  name: string;
  /** What the grid says when nothing is in it. */
  none: string;
  /** The server's word; empty for all. */
  status: ImageStatus | "";
  count: (counts: ProjectCounts) => number;
  /** Shown only while there is something in it: these are troubles, not stages. */
  isTrouble?: boolean;
}

export const FILTERS: readonly Filter[] = [
  { key: "all", name: "All", none: "No images yet", status: "", count: (counts) => counts.total },
  { key: "queued", name: "Queued", none: "No image is queued", status: "queued", count: (counts) => counts.queued },
  { key: "segmenting", name: "Segmenting", none: "No image is segmenting", status: "segmenting", count: (counts) => counts.segmenting },
  { key: "ready", name: "Ready", none: "No image is ready", status: "ready", count: (counts) => counts.ready },
  { key: "in-progress", name: "In progress", none: "No image is in progress", status: "in_progress", count: (counts) => counts.in_progress },
  { key: "submitted", name: "Submitted", none: "No image is submitted", status: "submitted", count: (counts) => counts.submitted },
  { key: "needs-channels", name: "Needs channels", none: "No image needs channels", status: "needs_channels", count: (counts) => counts.needs_channels, isTrouble: true },
  { key: "failed", name: "Failed", none: "No image failed", status: "failed", count: (counts) => counts.failed, isTrouble: true },
];

export const ORDERS: readonly { value: ImageOrder; label: string }[] = [
  { value: "-created", label: "Newest first" },
  { value: "created", label: "Oldest first" },
  { value: "name", label: "Name" },
];

export function shownFilters(counts: ProjectCounts, chosen: string): readonly Filter[] {
  return FILTERS.filter((filter) => !filter.isTrouble || filter.key === chosen || filter.count(counts) > 0);
}

export function filterOf(key: string | null): Filter {
  return FILTERS.find((filter) => filter.key === key) ?? FILTERS[0];
}
