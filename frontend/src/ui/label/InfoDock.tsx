import { cellArea } from "../../document/patch";
import type { ImageSession } from "../../session/imageSession";
import { dayTime, score, whole } from "../format";
import { areaWords } from "../../session/measures";
import styles from "./channels.module.css";
import { useValue } from "./useValue";

function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
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

export function InfoDock({ session }: { session: ImageSession }) {
  const image = useValue(session.image);
  const selection = useValue(session.selection);
  const revision = useValue(session.changes);
  const [only] = selection;
  const cell = selection.size === 1 ? session.document.get(only) : undefined;
  return (
    <>
      <Facts
        facts={[
          ["Size", `${whole(image.width)} × ${whole(image.height)} px`],
          ["Pixel size", image.pixel_size_um ? `${image.pixel_size_um.toFixed(3)} µm` : "not known"],
          ["Depth", image.dtype === "uint16" ? "16 bit" : "8 bit"],
          ["Added", dayTime(image.created_at)],
          ["Use", image.split === "held_out" ? "held out, measures the model" : "trains the model"],
        ]}
      />
      {cell && (
        <section className={styles.cell} key={revision}>
          <h2>Cell {cell.label}</h2>
          <Facts
            facts={[
              ["Area", areaWords(cellArea(cell), image.pixel_size_um)],
              ["Box", `${cell.box[2] - cell.box[0]} × ${cell.box[3] - cell.box[1]} px`],
              ["Score", score(cell.score)],
              ["From", cell.source === "model" ? "the model" : "a person"],
            ]}
          />
        </section>
      )}
    </>
  );
}
