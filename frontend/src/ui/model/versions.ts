/** Questions about a project's versions. */
import type { ModelVersion, ProjectModel } from "../../api/types";

const SETTLED = new Set<ModelVersion["state"]>(["active", "earlier", "base", "pending", "failed"]);

/** A version that has not served yet and could. */
export function isPromotable(version: ModelVersion): boolean {
  return !SETTLED.has(version.state);
}

/** Whether a click makes it active: "Restore" for one that served, "Promote" for one that did not. */
export function activationWord(version: ModelVersion): "Restore" | "Promote" | null {
  if (version.state === "earlier" || version.state === "base") return "Restore";
  return isPromotable(version) ? "Promote" : null;
}

/** Where one click goes back to: the version that served before, newest first; the base when none did. */
export function earlierVersion({ versions, active }: Pick<ProjectModel, "versions" | "active">): ModelVersion | undefined {
  const served = versions.filter((version) => version.state === "earlier" || (version.state === "base" && version.activated_at !== null));
  const before = served.sort((a, b) => (b.activated_at ?? "").localeCompare(a.activated_at ?? ""));
  return before[0] ?? (active?.is_base ? undefined : versions.find((version) => version.state === "base"));
}

/** Whether the gate has figures of it: an evaluation on no image has none. */
export function isMeasured({ evaluation }: ModelVersion): boolean {
  return evaluation !== null && evaluation.images > 0;
}

/** The version whose figures are worth a look: the one asked for, else the one that the newest measured run put forward. */
export function measuredVersion({ versions, runs }: Pick<ProjectModel, "versions" | "runs">, chosen: string | null): ModelVersion | undefined {
  const find = (id: string | undefined | null) => versions.find((version) => version.id === id);
  return [find(chosen), ...runs.map((run) => find(run.candidate?.id)), ...versions].find((version) => version && isMeasured(version));
}

/** The name of the version that a candidate was measured against. */
export function comparedWith({ runs, versions }: Pick<ProjectModel, "runs" | "versions">, version: ModelVersion): string {
  const run = runs.find(({ id }) => id === version.run);
  return run?.compared_with.name ?? versions.find(({ id }) => id === version.parent)?.name ?? "before";
}

/** What a version has of its own, from the least to all of it. */
export const RUNG_WORDS: Readonly<Record<number, { short: string; long: string }>> = {
  0: { short: "Full weights", long: "Full weights" },
  1: { short: "Neck", long: "Rung 1: the neck, with the detection threshold" },
  2: { short: "Neck + finder", long: "Rung 2: the neck and the cell finder, with the detection threshold" },
  3: { short: "Whole model", long: "Rung 3: the trunk too; its features are computed anew before it serves" },
};
