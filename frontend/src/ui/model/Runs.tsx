import { Button } from "@mantine/core";

import type { Candidate, ModelVersion, ProjectModel, TrainingRun } from "../../api/types";
import { counted, dayTime, duration, score } from "../format";
import { f1Of } from "./figures";
import cards from "./model.module.css";
import styles from "./runs.module.css";
import { StateChip } from "./StateChip";
import { isMeasured, RUNG_WORDS } from "./versions";
import { reasonWords, type ShownState } from "./wording";

function stateOf(run: TrainingRun): ShownState {
  if (run.decision === "") return "training";
  // "Active" would be wrong for a run of last month: the version may have been rolled back since.
  return run.decision;
}

function took(run: TrainingRun): string {
  if (!run.finished_at) return "";
  return `, took ${duration((Date.parse(run.finished_at) - Date.parse(run.created_at)) / 1_000).replaceAll(" ", "\u00a0")}`;
}

function rungsLine(run: TrainingRun): string {
  return run.rungs.map((rung) => (RUNG_WORDS[rung]?.short ?? `Rung ${rung}`).toLowerCase()).join(", ");
}

interface CandidateProps {
  candidate: Candidate;
  version: ModelVersion | undefined;
  isChosen: boolean;
  /** The run's own sentence is not said twice. */
  said: string;
  onFigures: () => void;
}

function CandidateRow({ candidate, version, isChosen, said, onFigures }: CandidateProps) {
  const { name, rung, status, reason } = candidate;
  return (
    <li data-testid="candidate" data-name={name} data-status={status}>
      <b title={name}>{name}</b>
      <span title={RUNG_WORDS[rung]?.long}>{RUNG_WORDS[rung]?.short}</span>
      <span>F1 {score(version && f1Of(version))}</span>
      <span className={styles.why}>{reason === said ? (isChosen ? "Put forward" : "") : reason}</span>
      {version && isMeasured(version) && (
        <Button variant="subtle" aria-label={`Figures of ${name}`} onClick={onFigures}>
          Figures
        </Button>
      )}
    </li>
  );
}

interface Props {
  model: ProjectModel;
  onFigures: (versionId: string) => void;
}

function RunRow({ run, model, onFigures }: Props & { run: TrainingRun }) {
  return (
    <li data-testid="run-row" data-decision={run.decision}>
      <div>
        <div className={styles.head}>
          <span>{dayTime(run.created_at)}</span>
          <StateChip state={stateOf(run)} />
        </div>
        <p>
          {reasonWords(run)}, {counted(run.corrected_cells, "corrected cell")}
          {took(run)}
        </p>
        {run.rungs.length > 0 && <p className="t3">Tried: {rungsLine(run)}</p>}
      </div>
      <div>
        {run.decision_reason && <p className={styles.reason}>{run.decision_reason}</p>}
        {run.decision === "" && <p>{run.job.message || "Waits for its turn."}</p>}
        {run.candidates.length > 0 && (
          <ul className={styles.candidates} aria-label="Candidates">
            {run.candidates.map((candidate) => (
              <CandidateRow
                key={candidate.id}
                candidate={candidate}
                version={model.versions.find(({ id }) => id === candidate.id)}
                isChosen={candidate.id === run.candidate?.id}
                said={run.decision_reason}
                onFigures={() => onFigures(candidate.id)}
              />
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}

/** Every run with what it tried, what came of it and why. */
export function Runs({ model, onFigures }: Props) {
  return (
    <section className={cards.card} aria-label="Training runs">
      <header>
        <h2>Training runs</h2>
        {model.runs.length > 0 && <span className="small t2">{counted(model.runs.length, "run")}, newest first</span>}
      </header>
      {model.runs.length === 0 ? (
        <p className={cards.nothing}>No run yet. {model.training.automatic_reason}</p>
      ) : (
        <ul className={styles.runs} tabIndex={0} aria-label="Training runs, newest first">
          {model.runs.map((run) => (
            <RunRow key={run.id} run={run} model={model} onFigures={onFigures} />
          ))}
        </ul>
      )}
    </section>
  );
}
