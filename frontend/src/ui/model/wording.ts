/** Sentences about runs and versions: who or what did it, and why. */
import type { ModelVersion, TrainingRun, VersionState } from "../../api/types";
import { day } from "../format";
import { scheduleWords } from "./schedule";

/** A version's state, or that of the run that is making one. */
export type ShownState = VersionState | "training";

export const STATE_WORDS: Record<ShownState, string> = {
  active: "Active",
  earlier: "Earlier",
  base: "Base",
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

/** "Next run at 200, or every night at 02:00". */
export function nextRunWords(threshold: number, schedule: string): string {
  const words = scheduleWords(schedule);
  return `Next run at ${threshold}${words ? `, or ${words}` : ""}`;
}

/** One line about a version: why it is not used, or who made it active and when. */
export function versionLine(version: ModelVersion): string {
  const isRefused = version.state === "rejected" || version.state === "not_enough_evidence" || version.state === "failed";
  if (isRefused && version.reason) return version.reason;
  if (version.activated_at) {
    const by = version.activated_by ? `Promoted by ${version.activated_by}` : version.is_base ? "Came with CellLoop" : "Promoted by the gate";
    return `${by}, ${day(version.activated_at)}`;
  }
  return version.is_base ? `Came with CellLoop, ${day(version.created_at)}` : `Trained ${day(version.created_at)}`;
}
