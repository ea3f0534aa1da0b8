/** Sentences about runs and versions: who or what did it, and why. */
import type { ModelVersion, ProjectModel, TrainingRun, VersionState } from "../../api/types";
import { counted, day, whole } from "../format";
import { scheduleWords } from "./schedule";

/** A version's state, that of the run that is making one, or what came of a run. */
export type ShownState = VersionState | "training" | "promoted";

export const STATE_WORDS: Record<ShownState, string> = {
  active: "Active",
  pending: "Getting ready",
  earlier: "Earlier",
  base: "Base",
  imported: "Imported",
  promoted: "Promoted",
  candidate: "Waiting",
  rejected: "Rejected",
  not_enough_evidence: "Not enough evidence",
  failed: "Failed",
  training: "Training",
};

const DECISION_WORDS: Record<string, string> = {
  promoted: "promoted",
  rejected: "rejected",
  not_enough_evidence: "not enough evidence",
  failed: "failed",
};

export function reasonWords(run: Pick<TrainingRun, "reason" | "started_by">): string {
  if (run.reason === "threshold") return "Enough corrections";
  if (run.reason === "schedule") return "On schedule";
  return run.started_by ? `Started by ${run.started_by}` : "Started by hand";
}

export function decisionLine(run: Pick<TrainingRun, "decision" | "decision_reason">): string {
  const word = DECISION_WORDS[run.decision] ?? "running";
  return run.decision_reason ? `${word}. ${run.decision_reason}` : `${word}.`;
}

/** "Next run at 200, or every day at 02:00". */
export function nextRunWords(threshold: number, schedule: string): string {
  const words = scheduleWords(schedule);
  return `Next run at ${whole(threshold)}${words ? `, or ${words}` : ""}`;
}

/** How far the corrections are, in one sentence: what keeps a run from starting by itself comes first. */
export function progressWords({ corrections, training, settings }: Pick<ProjectModel, "corrections" | "training" | "settings">): string {
  const missing = corrections.needed - corrections.corrected;
  if (missing > 0) return `${counted(missing, "more corrected cell")} until there is enough to learn from`;
  return training.automatic_reason || nextRunWords(corrections.threshold, settings.train_schedule);
}

/** What must happen before a gate can decide; empty when it can. */
export function evidenceWords({ held_out: heldOut, settings }: Pick<ProjectModel, "held_out" | "settings">): string {
  const missing = heldOut.needed - heldOut.deciding;
  if (missing <= 0) return "";
  const waiting = heldOut.images - heldOut.submitted;
  const label = `Label ${counted(missing, "more held-out image")} with cells${settings.blind_held_out ? ", drawn without outlines," : ""} before a version can be judged.`;
  return waiting > 0 ? `${label} ${waiting === 1 ? "1 is" : `${waiting} are`} waiting.` : `${label} Of the images that are added, every second is held out until there are enough.`;
}

/** One line about a version: why it is not used, or who made it active and when. */
export function versionLine(version: ModelVersion): string {
  const isRefused = version.state === "rejected" || version.state === "not_enough_evidence" || version.state === "failed";
  if (isRefused && version.reason) return version.reason;
  if (version.activated_at) {
    const by = version.activated_by ? `Promoted by ${version.activated_by}` : version.is_base ? "Came with CellLoop" : "Promoted by the gate";
    return `${by}, ${day(version.activated_at)}`;
  }
  if (version.is_base) return `Came with CellLoop, ${day(version.created_at)}`;
  return `${version.status === "imported" ? "Imported" : "Trained"} ${day(version.created_at)}`;
}
