import { Button } from "@mantine/core";
import { useState } from "react";

import type { ModelVersion, OutcomeCounts, ProjectModel, TrainingRun } from "../../api/types";
import { counted, percent, score } from "../format";
import { Confirm } from "../states/Confirm";
import { figuresOf, lossesOf } from "./figures";
import { LossCurve } from "./LossCurve";
import styles from "./model.module.css";
import { StateChip } from "./StateChip";
import { useModelActs } from "./useModelActs";
import { versionLine } from "./wording";

interface Props {
  projectId: string;
  model: ProjectModel;
  canManage: boolean;
}

function untouchedShare(counts: OutcomeCounts): string {
  const drawn = counts.untouched + counts.reshaped + counts.false;
  return drawn > 0 ? percent(counts.untouched / drawn) : "–";
}

function ActivateButton({ projectId, version }: { projectId: string; version: ModelVersion }) {
  const { activate } = useModelActs(projectId);
  const [isAsking, setAsking] = useState(false);
  const word = version.state === "earlier" || version.state === "base" ? "Restore" : "Promote";
  return (
    <>
      <Button variant="subtle" loading={activate.isPending} data-testid="version-activate" onClick={() => setAsking(true)}>
        {word}
      </Button>
      <Confirm
        opened={isAsking}
        isDanger={false}
        title={`${word} ${version.name}?`}
        detail="It labels every image that is opened from now on. Cells that a person touched stay as they are."
        act={`${word} ${version.name}`}
        onClose={() => setAsking(false)}
        onConfirm={() => activate.mutate(version)}
      />
    </>
  );
}

function TrainingRow({ projectId, run, canManage }: { projectId: string; run: TrainingRun; canManage: boolean }) {
  const { stop } = useModelActs(projectId);
  const progress = run.job.progress;
  return (
    <tr data-testid="version-row" data-state="training">
      <td className={styles.lineage} data-state="training" />
      <td className={styles.versionName}>next</td>
      <td>
        <StateChip state="training" extra={percent(progress)} />
      </td>
      <td className={styles.reason}>
        {lossesOf(run.curve).length > 1 ? <LossCurve losses={lossesOf(run.curve)} progress={progress} /> : `On ${counted(run.corrected_cells, "corrected cell")}`}
      </td>
      <td className={styles.pending} colSpan={3}>
        after training
      </td>
      <td className={styles.act}>
        {canManage && (
          <Button variant="subtle" loading={stop.isPending} onClick={() => stop.mutate(run.id)}>
            Stop
          </Button>
        )}
      </td>
    </tr>
  );
}

function VersionRow({ projectId, version, canManage }: Omit<Props, "model"> & { version: ModelVersion }) {
  const figures = figuresOf(version.metrics);
  const canActivate = canManage && version.state !== "active" && version.state !== "failed";
  const line = versionLine(version);
  return (
    <tr data-testid="version-row" data-state={version.state} data-name={version.name}>
      <td className={styles.lineage} data-state={version.state} />
      <td className={styles.versionName}>{version.name}</td>
      <td>
        <StateChip state={version.state} />
      </td>
      <td className={styles.reason} title={line}>
        {line}
      </td>
      <td className={styles.number}>{untouchedShare(version.outcomes)}</td>
      <td className={styles.number}>{score(figures.f1)}</td>
      <td className={styles.number}>{score(figures.miou)}</td>
      <td className={styles.act}>{canActivate && <ActivateButton projectId={projectId} version={version} />}</td>
    </tr>
  );
}

export function VersionTable({ projectId, model, canManage }: Props) {
  return (
    <section className={styles.card} aria-label="Versions">
      <header>
        <h2>Versions</h2>
        <span className="small t2">{counted(model.versions.length, "version")}</span>
      </header>
      <table className={styles.versions}>
        <thead>
          <tr>
            <th>
              <span className="visually-hidden">Lineage</span>
            </th>
            <th>
              <span className="visually-hidden">Version</span>
            </th>
            <th>State</th>
            <th>
              <span className="visually-hidden">Reason</span>
            </th>
            <th className={styles.number}>Untouched</th>
            <th className={styles.number}>F1</th>
            <th className={styles.number}>Mean IoU</th>
            <th>
              <span className="visually-hidden">Acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {model.run && <TrainingRow projectId={projectId} run={model.run} canManage={canManage} />}
          {model.versions.map((version) => (
            <VersionRow key={version.id} projectId={projectId} version={version} canManage={canManage} />
          ))}
        </tbody>
      </table>
    </section>
  );
}
