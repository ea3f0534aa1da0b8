import { useEffect, useState } from "react";

import { type Cell, cellArea } from "../../document/patch";
import type { ImageSession } from "../../session/imageSession";
import { areaWords } from "../../session/measures";
import { counted, dayTime, score, whole } from "../format";
import { CellPast } from "./CellPast";
import styles from "./channels.module.css";
import { useValue } from "./useValue";

type Fact = readonly [name: string, value: string];
type Measures = Awaited<ReturnType<ImageSession["measure"]>>;

function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The measurements of a cell, once they are there; a changed cell is measured anew. */
function useMeasures(session: ImageSession, cell: Cell): Measures | null {
  const [known, setKnown] = useState<{ cell: Cell; measures: Measures } | null>(null);
  useEffect(() => {
    let current = true;
    session.measure(cell).then(
      (measures) => current && setKnown({ cell, measures }),
      // Pixels that did not load leave their lines empty; the picture says so itself.
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [session, cell]);
  return known?.cell === cell ? known.measures : null;
}

function CellFacts({ session, cell }: { session: ImageSession; cell: Cell }) {
  const { pixel_size_um: size, channels } = session.opened.image;
  const classes = useValue(session.classes.all);
  const measures = useMeasures(session, cell);
  const given = classes.find(({ id }) => id === cell.class_id);
  const length = (pixels: number): string => (size ? `${(pixels * size).toFixed(1)} µm` : `${whole(pixels)} px`);
  const facts: Fact[] = [
    ["Area", areaWords(cellArea(cell), size)],
    ["Perimeter", measures ? length(measures.perimeter) : "–"],
    ["Roundness", score(measures?.roundness)],
    ["Box", `${cell.box[2] - cell.box[0]} × ${cell.box[3] - cell.box[1]} px`],
    ...channels.map(({ name }, index): Fact => [`Mean ${name}`, measures?.means[index]?.toFixed(0) ?? "–"]),
    ["Score", score(cell.score)],
    ["Class", given?.name ?? "none"],
    ["Drawn by", cell.source === "model" ? "the model" : "a person"],
  ];
  return (
    <section className={styles.cell} data-testid="cell-facts">
      <h2>Cell {cell.label}</h2>
      <Facts facts={facts} />
      <CellPast key={cell.id} session={session} cell={cell} />
    </section>
  );
}

export function InfoDock({ session }: { session: ImageSession }) {
  const image = useValue(session.image);
  const selection = useValue(session.selection);
  useValue(session.changes);
  const [only] = selection;
  const cell = selection.size === 1 ? session.document.get(only) : undefined;
  const facts: Fact[] = [
    ["Size", `${whole(image.width)} × ${whole(image.height)} px`],
    ["Pixel size", image.pixel_size_um ? `${image.pixel_size_um.toFixed(3)} µm` : "not known"],
    ["Depth", image.dtype === "uint16" ? "16 bit" : "8 bit"],
    ["Cells", counted(session.document.size, "cell")],
    ["Added", dayTime(image.created_at)],
    ["Use", image.split === "held_out" ? `held out, measures the model${image.blind ? ", labelled blind" : ""}` : "trains the model"],
  ];
  return (
    <>
      {cell && <CellFacts session={session} cell={cell} />}
      {!cell && <p className={styles.hint}>{selection.size > 1 ? `${counted(selection.size, "cell")} selected. Select one to measure it.` : "Select a cell to measure it."}</p>}
      <section className={styles.cell}>
        <h2>Image</h2>
        <Facts facts={facts} />
      </section>
    </>
  );
}
