import { Link } from "wouter";

import type { Project, ProjectModel } from "../../api/types";
import { percent, whole } from "../format";
import { Bar } from "../model/Bar";
import { decisionLine } from "../model/wording";
import styles from "./images.module.css";

interface Props {
  project: Project;
  model: ProjectModel;
}

/** The loop in three lines: how far to the next run, the run that is on, how the last one ended. */
export function TrainingPanel({ project, model }: Props) {
  const { corrections, run, runs } = model;
  const last = runs.find((candidate) => candidate.id !== run?.id && candidate.decision !== "");
  return (
    <section className={styles.panel} aria-label="Training">
      <div className={styles.panelTitle}>
        <h2>{run ? "Training" : "Next training"}</h2>
        <Link href={`/projects/${project.id}/model`} className="small">
          Model
        </Link>
      </div>
      {run ? (
        <>
          <p className={styles.big}>
            <b className="figure">{percent(run.job.progress)}</b>
            <span>on {whole(run.corrected_cells)} corrected cells</span>
          </p>
          <Bar value={run.job.progress} label="Training" />
          {run.job.message && <p className={styles.detail}>{run.job.message}</p>}
        </>
      ) : (
        <>
          <p className={styles.big}>
            <b className="figure" data-testid="corrections-count">
              {whole(corrections.since_last_run)}
            </b>
            <span>of {whole(corrections.threshold)} corrections</span>
          </p>
          <Bar value={corrections.since_last_run / Math.max(1, corrections.threshold)} label="Corrections until the next training" />
        </>
      )}
      {last && <p className={styles.detail}>Last run: {decisionLine(last)}</p>}
      {!model.presegmentation.shown && (
        <p className={styles.detail} data-testid="presegmentation-hidden">
          Images open without outlines. {model.presegmentation.reason}
        </p>
      )}
    </section>
  );
}
