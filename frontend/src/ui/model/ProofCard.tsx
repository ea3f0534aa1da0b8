import { ActionIcon, Tooltip } from "@mantine/core";
import { IconChartDots, IconDownload, IconTable } from "@tabler/icons-react";
import { useState } from "react";

import { proofUrl } from "../../api/model";
import type { Project, ProjectModel } from "../../api/types";
import { Choice } from "./Choice";
import styles from "./model.module.css";
import { Plot } from "./Plot";
import plotStyles from "./plot.module.css";
import { AROUND, byVersion, type Figure, FIGURE_WORDS, FIGURES, overTime, type Plotted } from "./proof";

const SPANS = [
  { value: "version", label: "By version" },
  { value: "time", label: "Over time" },
] as const;
type Span = (typeof SPANS)[number]["value"];

const NOTHING_YET: Readonly<Record<Figure, string>> = {
  actions_per_cell: "Each submitted image adds a point: the cells that a person added, reshaped or deleted, for each cell that was accepted.",
  seconds_per_cell: "Each submitted image that was worked on adds a point: the time of the work, without pauses, for each cell.",
  share_untouched: "Each submitted image adds a point: the share of the cells that were accepted as the model drew them.",
  f1: "Each training run adds a point: F1 at mask IoU 0.6 on held-out images, which no version trains on.",
};

function Numbers({ plotted: { heads, rows }, title }: { plotted: Plotted; title: string }) {
  return (
    <div className={plotStyles.tableArea} tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table className={plotStyles.table} data-testid="proof-table">
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head}>{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Shown({ model, figure, span, isTable }: { model: ProjectModel; figure: Figure; span: Span; isTable: boolean }) {
  const { title, direction, say, limit } = FIGURE_WORDS[figure];
  const plotted = span === "version" ? byVersion(model, figure) : overTime(model, figure);
  const name = `${title} ${span === "version" ? "by version" : "over time"}, ${direction}`;
  if (plotted.points.length === 0) return <p className={styles.nothing}>{NOTHING_YET[figure]}</p>;
  if (isTable) return <Numbers plotted={plotted} title={name} />;
  return <Plot key={figure + span} plotted={plotted} title={name} say={say} limit={limit} />;
}

/** The work that is saved, measured: what people do to a cell, how long it takes, what they leave, and F1 where nobody trained. */
export function ProofCard({ project, model }: { project: Project; model: ProjectModel }) {
  const [figure, setFigure] = useState<Figure>("actions_per_cell");
  const [span, setSpan] = useState<Span>("version");
  const [isTable, setTable] = useState(false);
  const { title, direction } = FIGURE_WORDS[figure];
  return (
    <section className={styles.card} aria-label="Saved work" data-testid="proof">
      <header>
        <h2>{title}</h2>
        <span className="grow small t2">{direction}</span>
        <div className={plotStyles.acts}>
          <Tooltip label={isTable ? "Show the plot" : "Show the numbers"}>
            <ActionIcon aria-label="Show as a table" aria-pressed={isTable} data-testid="proof-as-table" onClick={() => setTable(!isTable)}>
              {isTable ? <IconChartDots size={16} stroke={1.5} /> : <IconTable size={16} stroke={1.5} />}
            </ActionIcon>
          </Tooltip>
          <Tooltip label="All of it as CSV">
            <ActionIcon component="a" href={proofUrl(project.id)} download aria-label="Download as CSV" data-testid="proof-csv">
              <IconDownload size={16} stroke={1.5} />
            </ActionIcon>
          </Tooltip>
        </div>
      </header>
      <div className={plotStyles.controls}>
        <Choice label="Figure" choices={FIGURES.map((value) => ({ value, label: FIGURE_WORDS[value].short }))} value={figure} onChange={setFigure} />
        <Choice label="Along" choices={SPANS} value={span} onChange={setSpan} />
      </div>
      <Shown model={model} figure={figure} span={span} isTable={isTable} />
      {span === "time" && figure !== "f1" && !isTable && model.proof.points.length > 1 && <p className={plotStyles.rule}>A dot an image; the line is the mean of the last {AROUND} images, by cells.</p>}
      {figure === "f1" && !isTable && model.proof.f1.length > 0 && (
        <p className={plotStyles.rule}>Each stroke goes from the version active then to the new one, on the same held-out images. Other runs measured on others.</p>
      )}
      {figure === "seconds_per_cell" && model.proof.rule && <p className={plotStyles.rule}>{model.proof.rule}</p>}
    </section>
  );
}
