import { Button } from "@mantine/core";
import { IconCheck, IconHelpCircle, IconX } from "@tabler/icons-react";
import { useState } from "react";

import type { ModelVersion, ProjectModel, TrainingRun } from "../../api/types";
import { change as changeWords, counted, score } from "../format";
import { Confirm } from "../states/Confirm";
import { BeforeAfter } from "./BeforeAfter";
import { changesOf } from "./figures";
import styles from "./model.module.css";
import { useModelActs } from "./useModelActs";

interface Props {
  projectId: string;
  model: ProjectModel;
  canManage: boolean;
}

/** The run whose figures are worth a look: the newest that was measured. */
export function measuredRun(runs: readonly TrainingRun[]): TrainingRun | undefined {
  return runs.find((run) => changesOf(run.evaluation).length > 0);
}

/** Where one click goes back to: the version that was active before, newest first. */
export function earlierVersion(model: ProjectModel): ModelVersion | undefined {
  return model.versions.find((version) => version.state === "earlier" || version.state === "base");
}

function Verdict({ run }: { run: TrainingRun }) {
  const Icon = run.decision === "promoted" ? IconCheck : run.decision === "not_enough_evidence" ? IconHelpCircle : IconX;
  return (
    <p className={styles.verdict} data-decision={run.decision}>
      <Icon size={16} stroke={1.8} aria-hidden />
      <span>{run.decision_reason}</span>
    </p>
  );
}

function Acts({ projectId, model, candidate }: { projectId: string; model: ProjectModel; candidate: ModelVersion | undefined }) {
  const { activate } = useModelActs(projectId);
  const [asked, setAsked] = useState<ModelVersion | null>(null);
  const earlier = earlierVersion(model);
  const isPromotable = candidate && candidate.state !== "active" && candidate.state !== "earlier" && candidate.state !== "base" && candidate.state !== "failed";
  if (!isPromotable && !earlier) return null;
  return (
    <div className={styles.acts}>
      {isPromotable && (
        <Button size="md" className="grow" variant={candidate.state === "rejected" ? "default" : "filled"} loading={activate.isPending} data-testid="promote" onClick={() => setAsked(candidate)}>
          Promote {candidate.name} by hand
        </Button>
      )}
      {earlier && (
        <Button size="md" variant="default" loading={activate.isPending} data-testid="roll-back" onClick={() => setAsked(earlier)}>
          Roll back to {earlier.name}
        </Button>
      )}
      <Confirm
        opened={asked !== null}
        isDanger={false}
        title={`Make ${asked?.name ?? ""} the active version?`}
        detail="It labels every image that is opened from now on. Cells that a person touched stay as they are."
        act={`Use ${asked?.name ?? ""}`}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && activate.mutate(asked)}
      />
    </div>
  );
}

export function Comparison({ projectId, model, canManage }: Props) {
  const run = measuredRun(model.runs);
  const candidate = model.versions.find((version) => version.id === run?.candidate?.id);
  const before = run?.compared_with.name ?? "before";
  const after = run?.candidate?.name ?? "new";
  const changes = run ? changesOf(run.evaluation) : [];
  const countError = changes.find((change) => change.isLowerBetter);
  return (
    <section className={styles.card} data-column="right" aria-label="Before and after">
      <header>
        <h2>{run ? `${before} and ${after} on held-out images` : "Before and after"}</h2>
        {run && <span className="small t2">{counted(run.evaluation?.images ?? 0, "image")}</span>}
      </header>
      {run ? (
        <>
          <p className={styles.caption}>Higher is better. The bar is the 95% interval of the change.</p>
          <BeforeAfter changes={changes} before={before} after={after} />
          {countError && (
            <p className={styles.caption}>
              Count error {score(countError.before)} → {score(countError.after)} ({changeWords(countError.before, countError.after)}), lower is better
            </p>
          )}
          <Verdict run={run} />
        </>
      ) : (
        <p className={styles.nothing}>After a training run, the active and the new version are compared here on images that neither has seen.</p>
      )}
      {canManage && <Acts projectId={projectId} model={model} candidate={candidate} />}
    </section>
  );
}
