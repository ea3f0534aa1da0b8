import { IconBrush, IconCheck, IconChevronRight, IconEye, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";

import type { ProjectModel } from "../../api/types";
import { counted, dayTime, percent, whole } from "../format";
import { Bar } from "./Bar";
import styles from "./model.module.css";
import { evidenceWords, progressWords } from "./wording";

interface StageProps {
  icon: ReactNode;
  name: string;
  figure: ReactNode;
  unit?: string;
  isLater?: boolean;
  children: ReactNode;
}

function Stage({ icon, name, figure, unit, isLater = false, children }: StageProps) {
  return (
    <li className={styles.stage} data-later={isLater || undefined}>
      <div className={styles.stageHead}>
        {icon}
        <span>{name}</span>
      </div>
      <p className={styles.stageFigure}>
        {figure}
        {unit && <span>{unit}</span>}
      </p>
      {children}
      <span className={styles.arrow} aria-hidden>
        <IconChevronRight size={14} />
      </span>
    </li>
  );
}

const icon = { size: 16, stroke: 1.5, "aria-hidden": true } as const;

function TrainingStage({ model }: { model: ProjectModel }) {
  const { run, runs } = model;
  if (run) {
    const progress = run.job.progress;
    const isQueued = run.job.status === "queued";
    return (
      <Stage icon={<IconRefresh {...icon} />} name="Training" figure={<b className="figure">{isQueued ? "Queued" : percent(progress)}</b>} unit={`on ${counted(run.corrected_cells, "corrected cell")}`}>
        <Bar value={progress} label="Training" />
        {run.job.message && <p className={styles.stageNote}>{run.job.message}</p>}
      </Stage>
    );
  }
  const last = runs.at(0);
  const ended = last?.finished_at ? `Last run ${last.decision === "failed" ? "failed" : "ended"} ${dayTime(last.finished_at)}.` : "";
  return (
    <Stage icon={<IconRefresh {...icon} />} name="Training" isLater figure={<b className="figure">{last ? "Idle" : "No run yet"}</b>}>
      <p className={styles.stageNote} data-testid="training-note">
        {last?.decision === "failed" ? `${ended} ${last.decision_reason}` : ended || model.training.reason || "Starts by itself when there is enough to learn."}
      </p>
    </Stage>
  );
}

/** The loop from left to right: corrections are gathered, a run learns, held-out images compare, the better one stays. */
export function LoopCard({ model }: { model: ProjectModel }) {
  const { corrections, held_out: heldOut } = model;
  const missing = evidenceWords(model);
  return (
    <ol className={styles.loop} aria-label="The loop">
      <Stage
        icon={<IconBrush {...icon} />}
        name="Corrections since last training"
        figure={
          <b className="figure" data-testid="corrections-count">
            {whole(corrections.since_last_run)}
          </b>
        }
        unit={`of ${whole(corrections.threshold)}`}
      >
        <Bar value={corrections.since_last_run / Math.max(1, corrections.threshold)} label="Corrections until the next training" />
        <p className={styles.stageNote}>{progressWords(model)}</p>
      </Stage>
      <TrainingStage model={model} />
      <Stage
        icon={<IconEye {...icon} />}
        name="Compare"
        isLater={missing !== ""}
        figure={
          <b className="figure" data-testid="held-out-count">
            {whole(heldOut.deciding)}
          </b>
        }
        unit={missing ? `of ${whole(heldOut.needed)} images that can decide` : `${heldOut.deciding === 1 ? "image decides" : "images decide"}`}
      >
        <p className={styles.stageNote}>
          {missing || `${counted(heldOut.images, "image is", "images are")} held out and never used for training.`}
        </p>
      </Stage>
      <Stage icon={<IconCheck {...icon} />} name="Promote" isLater figure={<b className="figure">If better</b>}>
        <p className={styles.stageNote}>By itself when F1 rises and no group is clearly worse. By hand at any time.</p>
      </Stage>
    </ol>
  );
}
