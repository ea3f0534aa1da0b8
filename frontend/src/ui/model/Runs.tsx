import type { ProjectModel, TrainingRun } from "../../api/types";
import { counted, dayTime, duration } from "../format";
import styles from "./model.module.css";
import { StateChip } from "./StateChip";
import { reasonWords, type ShownState } from "./wording";

function stateOf(run: TrainingRun): ShownState {
  if (run.decision === "") return "training";
  return run.decision === "promoted" ? "active" : run.decision;
}

function RunChip({ run }: { run: TrainingRun }) {
  // "Active" would be wrong for a run of last month: the version may have been rolled back since.
  if (run.decision === "promoted") return <span className={styles.chip} data-state="candidate">Promoted</span>;
  return <StateChip state={stateOf(run)} />;
}

function took(run: TrainingRun): string {
  if (!run.finished_at) return "";
  return `, took ${duration((Date.parse(run.finished_at) - Date.parse(run.created_at)) / 1_000)}`;
}

export function Runs({ model }: { model: ProjectModel }) {
  return (
    <section className={styles.card} aria-label="Training runs">
      <header>
        <h2>Training runs</h2>
        {model.runs.length > 0 && <span className="small t2">{counted(model.runs.length, "run")}, newest first</span>}
      </header>
      {model.runs.length === 0 ? (
        <p className={styles.nothing}>No run yet.</p>
      ) : (
        <ul className={styles.runs}>
          {model.runs.map((run) => (
            <li key={run.id} data-testid="run-row" data-decision={run.decision}>
              <div>
                <span>{dayTime(run.created_at)}</span>
                <RunChip run={run} />
              </div>
              <p>
                {reasonWords(run)}, {counted(run.corrected_cells, "corrected cell")}
                {took(run)}
              </p>
              {run.decision_reason && <p className={styles.runReason}>{run.decision_reason}</p>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
