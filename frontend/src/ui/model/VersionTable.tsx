import { Button } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useState } from "react";

import type { ModelVersion, ProjectModel, TrainingRun } from "../../api/types";
import { counted, percent, score } from "../format";
import { ConfirmActivation } from "./ConfirmActivation";
import { f1Of, lossesOf } from "./figures";
import { ImportForm } from "./ImportForm";
import { LossCurve } from "./LossCurve";
import cards from "./model.module.css";
import { StateChip } from "./StateChip";
import { useModelActs } from "./useModelActs";
import { VersionMenu } from "./VersionMenu";
import styles from "./versions.module.css";
import { RUNG_WORDS } from "./versions";
import { versionLine } from "./wording";

interface Props {
  projectId: string;
  model: ProjectModel;
  canManage: boolean;
  /** Shows what the gate measured of a version. */
  onFigures: (versionId: string) => void;
}

function TrainingRow({ projectId, run, canManage }: { projectId: string; run: TrainingRun; canManage: boolean }) {
  const { stop } = useModelActs(projectId);
  const { progress, status } = run.job;
  const losses = lossesOf(run.curve);
  return (
    <tr data-testid="version-row" data-state="training">
      <td className={styles.lineage} data-state="training" />
      <td className={styles.versionName}>next</td>
      <td>
        <StateChip state="training" extra={status === "queued" ? "next" : percent(progress)} />
      </td>
      <td className={styles.reason}>{losses.length > 1 ? <LossCurve losses={losses} progress={progress} /> : `On ${counted(run.corrected_cells, "corrected cell")}`}</td>
      <td className={styles.pending} colSpan={2}>
        after training
      </td>
      <td className={styles.act}>
        <div>
          {canManage && (
            <Button variant="subtle" data-testid="stop-training" loading={stop.isPending} onClick={() => stop.mutate(run.id)}>
              Stop
            </Button>
          )}
        </div>
      </td>
    </tr>
  );
}

interface RowProps extends Props {
  version: ModelVersion;
  onActivate: (version: ModelVersion) => void;
}

function VersionRow({ projectId, model, version, canManage, onFigures, onActivate }: RowProps) {
  const line = versionLine(version);
  const rung = RUNG_WORDS[version.rung];
  const work = model.proof.versions.find((entry) => entry.version === version.id);
  const isEarlier = version.state === "earlier";
  return (
    <tr data-testid="version-row" data-state={version.state} data-name={version.name}>
      <td className={styles.lineage} data-state={version.state} />
      <td className={styles.versionName} title={version.name}>
        {version.name}
      </td>
      <td>
        <StateChip state={version.state} />
      </td>
      <td className={styles.reason} title={line}>
        {version.rung > 0 && (
          <span className={styles.rung} title={rung.long}>
            {rung.short}.{" "}
          </span>
        )}
        {line}
      </td>
      <td className={styles.number}>{score(work?.actions_per_cell)}</td>
      <td className={styles.number}>{score(f1Of(version))}</td>
      <td className={styles.act}>
        <div>
          {canManage && isEarlier && (
            <Button variant="subtle" data-testid="version-restore" onClick={() => onActivate(version)}>
              Restore
            </Button>
          )}
          <VersionMenu projectId={projectId} model={model} version={version} canManage={canManage} onActivate={() => onActivate(version)} onFigures={() => onFigures(version.id)} />
        </div>
      </td>
    </tr>
  );
}

/** All versions, newest on top, with the run that makes the next one. */
export function VersionTable(props: Props) {
  const { projectId, model, canManage } = props;
  const [asked, setAsked] = useState<ModelVersion | null>(null);
  const [isImporting, setImporting] = useState(false);
  return (
    <section className={cards.card} aria-label="Versions">
      <header>
        <h2>Versions</h2>
        <span className="grow small t2">{counted(model.versions.length, "version")}</span>
        {canManage && (
          <Button variant="subtle" leftSection={<IconUpload size={14} stroke={1.8} />} data-testid="import-version" onClick={() => setImporting(true)}>
            Import
          </Button>
        )}
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
            <th className={styles.number}>Actions per cell</th>
            <th className={styles.number}>F1</th>
            <th>
              <span className="visually-hidden">Acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {model.run && <TrainingRow projectId={projectId} run={model.run} canManage={canManage} />}
          {model.versions.map((version) => (
            <VersionRow key={version.id} {...props} version={version} onActivate={setAsked} />
          ))}
        </tbody>
      </table>
      <ConfirmActivation projectId={projectId} model={model} version={asked} onClose={() => setAsked(null)} />
      <ImportForm projectId={projectId} opened={isImporting} onClose={() => setImporting(false)} />
    </section>
  );
}
