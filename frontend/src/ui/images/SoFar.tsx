import type { Project, ProjectModel } from "../../api/types";
import { percent, score, whole } from "../format";
import { f1Of } from "../model/figures";
import styles from "./images.module.css";

interface Props {
  project: Project;
  model: ProjectModel;
}

export function SoFar({ project, model }: Props) {
  const { missed, false: wrong, reshaped, untouched } = model.corrections;
  const predicted = wrong + reshaped + untouched;
  const active = model.versions.find((version) => version.id === model.active?.id);
  const f1 = active ? f1Of(active) : null;
  const corrected = missed + wrong + reshaped;
  const facts = [
    { value: whole(corrected), name: corrected === 1 ? "cell corrected" : "cells corrected" },
    { value: predicted > 0 ? percent(untouched / predicted) : "–", name: "left untouched" },
    { value: whole(project.counts.submitted), name: project.counts.submitted === 1 ? "image submitted" : "images submitted" },
    { value: score(f1), name: "F1 on held-out images" },
  ];
  return (
    <section aria-label="So far">
      <h2>So far</h2>
      <dl className={styles.stats}>
        {facts.map((fact) => (
          <div key={fact.name}>
            <dd className="figure">{fact.value}</dd>
            <dt>{fact.name}</dt>
          </div>
        ))}
      </dl>
    </section>
  );
}
