/** Well-formed answers of the server for tests. */
import type { Image, ImagePage, Project } from "../api/types";

export function anImage(change: Partial<Image> = {}): Image {
  return {
    id: "image-1", project: "project-1", name: "cells.tif", width: 512, height: 512, dtype: "uint8",
    channels: [{ name: "DAPI" }], pixel_size_um: null, status: "ready", error: "", progress: null, revision: 1,
    cells: 12, to_check: 0, split: "train", blind: false, shown_from: 0, thumbnail_url: null, outlines_url: null, created_at: "2026-05-12T09:00:00Z",
    submitted_at: null, submitted_by: null, job: null, notes: 0, skip: null, frame: null, ...change,
  };
}

export function aPage(results: Image[], change: Partial<ImagePage> = {}): ImagePage {
  return { results, next: null, total: 3, ...change };
}

export function aProject(change: Partial<Project> = {}): Project {
  return {
    id: "project-1", name: "Mixed cells pilot", role: "owner", created_at: "2026-05-01T09:00:00Z", channel_map: null,
    correction_threshold: 200, train_schedule: "", active_version: null, cells: 0, blind_held_out: true,
    held_out_target: 20, deep: false, presegmentation: { mode: "auto", shown: true, shown_from: 0, unsure_above: null, reason: "" },
    counts: { total: 0, queued: 0, segmenting: 0, ready: 0, in_progress: 0, submitted: 0, failed: 0, needs_channels: 0 },
    ...change,
  };
}
