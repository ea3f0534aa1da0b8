import { Select } from "@mantine/core";
import { useState } from "react";

import type { ProjectModel } from "../../api/types";
import { counted, percent, whole } from "../format";
import { Bar } from "./Bar";
import styles from "./model.module.css";

const ALL = "all";

/** The four counts of each version whose cells were corrected. */
function CountsTable({ model }: { model: ProjectModel }) {
  const { by_version: versions } = model.corrections;
  if (versions.length === 0) return null;
  return (
    <table className={styles.counts} data-testid="counts-by-version">
      <thead>
        <tr>
          <th>Version</th>
          <th>Missed</th>
          <th>Not a cell</th>
          <th>Reshaped</th>
          <th>Untouched</th>
        </tr>
      </thead>
      <tbody>
        {versions.map((entry) => (
          <tr key={entry.version ?? entry.name}>
            <td>{entry.name}</td>
            <td>{whole(entry.missed)}</td>
            <td>{whole(entry.false)}</td>
            <td>{whole(entry.reshaped)}</td>
            <td>{whole(entry.untouched)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Where people still correct: what became of the cells of one version, or of all. */
export function StillCorrect({ model }: { model: ProjectModel }) {
  const { corrections } = model;
  const [chosen, setChosen] = useState(ALL);
  const choices = corrections.by_version.flatMap(({ version, name }) => (version ? [{ value: version, label: name }] : []));
  const counts = corrections.by_version.find((entry) => entry.version === chosen) ?? corrections;
  const rows = [
    { name: "Missed cell", help: "A person added it", value: counts.missed },
    { name: "Not a cell", help: "A person deleted it", value: counts.false },
    { name: "Reshaped", help: "IoU under 0.95 to what the model drew", value: counts.reshaped },
  ];
  const most = Math.max(1, ...rows.map((row) => row.value));
  const drawn = counts.untouched + counts.reshaped + counts.false;
  return (
    <section className={styles.card} aria-label="Where people still correct">
      <header>
        <h2>Where people still correct</h2>
        {choices.length > 0 && (
          <Select
            aria-label="Version"
            w={132}
            data={[{ value: ALL, label: "All versions" }, ...choices]}
            value={chosen}
            allowDeselect={false}
            onChange={(value) => setChosen(value ?? ALL)}
          />
        )}
      </header>
      {drawn + counts.missed === 0 ? (
        <p className={styles.nothing}>No image is submitted yet. Each submitted image is counted here, cell by cell.</p>
      ) : (
        <>
          <ul className={styles.reasons}>
            {rows.map((row) => (
              <li key={row.name}>
                <div>
                  <span>{row.name}</span>
                  <span className={styles.help}>{row.help}</span>
                  <b>{whole(row.value)}</b>
                </div>
                <Bar value={row.value / most} label={`${row.name}: ${counted(row.value, "cell")}`} tone="plain" />
              </li>
            ))}
          </ul>
          {drawn > 0 && (
            <p className={styles.caption}>
              {counted(counts.untouched, "cell")} left as the model drew {counts.untouched === 1 ? "it" : "them"}, {percent(counts.untouched / drawn)}
            </p>
          )}
          <CountsTable model={model} />
        </>
      )}
    </section>
  );
}
