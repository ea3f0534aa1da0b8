/** A project's loop as the server tells it, for tests. */
import type { Evaluation, ModelVersion, ProjectModel, TrainingRun } from "../../api/types";

const COUNTS = { untouched: 80, reshaped: 12, missed: 20, false: 6 };

export function aVersion(change: Partial<ModelVersion> = {}): ModelVersion {
  return {
    id: "v0", number: 0, name: "tiny 1", is_base: true, parent: null, architecture: "tiny", licence: "Apache-2.0", threshold: 0.4, metrics: {}, status: "base",
    state: "base", reason: "", outcomes: COUNTS, rung: 0, run: null, weights_sha256: "ab", trunk_hash: "t", neck_hash: "n", finder_hash: "",
    snapshot: { images: 0, train: 0, held_out: 0 }, evaluation: null, config: {}, curve: [], activated_at: null, activated_by: null, created_at: "2026-11-01T09:00:00Z", ...change,
  };
}

export function anEvaluation(active: number, candidate: number): Evaluation {
  const figures = (f1: number) => ({ f1, precision: f1, recall: f1, ap50: f1, miou: 0.8, count_error: 0.1, found: 50, touched_found: null, touched_cells: null });
  const gate = { outcome: "promoted", reason: "Better.", images: 6, clusters: 6, f1: null, ap50: null, miou: null, count_error: null, groups: {} };
  return { active: figures(active), candidate: figures(candidate), images: 6, all: null, gate };
}

/** A run that is over and put nothing forward. */
export function aRun(change: Partial<TrainingRun> = {}): TrainingRun {
  return {
    id: "r1", reason: "threshold", started_by: null, corrected_cells: 200, images: 12, held_out_images: 4, compared_with: { id: "v2", name: "v2", number: 2, takes_points: false }, candidate: null,
    candidates: [], rungs: [1], job: { id: "job-1", kind: "train", status: "succeeded", progress: 1, message: "", error: "", image: null }, evaluation: null, curve: [], decision: "rejected",
    decision_reason: "Worse.", created_at: "2026-11-04T09:00:00Z", finished_at: "2026-11-04T09:20:00Z", ...change,
  };
}

/** The base, v1 that the gate kept out, and v2 that serves; four images, the first drawn by hand. */
export function aModel(change: Partial<ProjectModel> = {}): ProjectModel {
  const base = aVersion({ state: "earlier", activated_at: "2026-11-01T09:00:00Z" });
  const kept = aVersion({ id: "v1", number: 1, name: "v1", is_base: false, parent: "v0", status: "rejected", state: "rejected", rung: 1, reason: "Worse.", evaluation: anEvaluation(0.8, 0.7) });
  const active = aVersion({ id: "v2", number: 2, name: "v2", is_base: false, parent: "v0", status: "promoted", state: "active", rung: 2, evaluation: anEvaluation(0.8, 0.9), activated_at: "2026-11-03T09:00:00Z" });
  const work = (version: string | null, name: string, cost: number) => ({ version, name, images: 2, cells: 40, actions_per_cell: cost, seconds_per_cell: cost * 8, share_untouched: 1 - cost, f1: null });
  const point = (number: number, version: string | null, cost: number | null) => ({
    at: `2026-11-0${number}T10:00:00Z`, image: `i${number}`, name: `${number}.tif`, version, cells: 10 * number, untouched: 5, reshaped: 1, missed: 1, false: 1,
    actions_per_cell: cost, seconds_per_cell: null, share_untouched: cost === null ? null : 1 - cost,
  });
  return {
    active, versions: [active, kept, base], pending: null,
    corrections: { ...COUNTS, corrected: 80, needed: 50, since_last_run: 20, threshold: 200, by_version: [{ version: "v2", name: "v2", ...COUNTS }] },
    held_out: { images: 8, submitted: 6, deciding: 6, needed: 5 },
    training: { can_start: true, reason: "", automatic_reason: "" },
    settings: { correction_threshold: 200, train_schedule: "5 4 * * *", blind_held_out: true, held_out_target: 20, presegmentation: "auto", deep: false },
    presegmentation: { mode: "auto", shown: true, shown_from: 0, unsure_above: null, reason: "" }, run: null, runs: [], schedule: "5 4 * * *",
    proof: {
      pause_s: 60, rule: "Without pauses.",
      versions: [work("v2", "v2", 0.2), work(null, "by hand", 0.9), work("v0", "tiny 1", 0.6)],
      points: [point(1, null, 1), point(2, "v0", 0.6), point(3, "v2", 0.2), point(4, "v2", null)],
      f1: [
        { at: "2026-11-02T10:00:00Z", version: "v1", name: "v1", active: 0.8, candidate: 0.7, images: 6, decision: "rejected" },
        { at: "2026-11-03T10:00:00Z", version: "v2", name: "v2", active: 0.8, candidate: 0.9, images: 6, decision: "promoted" },
      ],
    },
    ...change,
  };
}
