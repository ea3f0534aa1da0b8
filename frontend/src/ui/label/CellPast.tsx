import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { cellHistory } from "../../api/history";
import type { Cell } from "../../document/patch";
import type { ImageSession } from "../../session/imageSession";
import { dayTime } from "../format";
import { keys } from "../queries";
import { whatWords, whoWords } from "./changeWords";
import styles from "./channels.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
  cell: Cell;
}

/** The revision at which the server last knew this cell as it is here; it moves only with the cell itself. */
function useSavedAt({ session, cell }: Props): number {
  const { waiting } = useValue(session.saved);
  const [saved, setSaved] = useState({ cell, revision: session.autosave.revision });
  if (saved.cell !== cell && waiting === 0) setSaved({ cell, revision: session.autosave.revision });
  return saved.revision;
}

/** Who changed the cell, when, and what drew it: the newest first. */
export function CellPast({ session, cell }: Props) {
  const image = session.opened.image.id;
  const revision = useSavedAt({ session, cell });
  const classes = useValue(session.classes.all);
  const names = new Map(classes.map(({ id, name }) => [id, name]));
  const past = useQuery({
    queryKey: keys.cellHistory(image, cell.id, revision),
    queryFn: () => cellHistory(image, cell.id),
    placeholderData: (before, query) => (query?.queryKey[2] === cell.id ? before : undefined),
  });
  return (
    <section className={styles.past} aria-label={`History of cell ${cell.label}`} data-testid="cell-past">
      <h3>History</h3>
      {past.data?.length === 0 && <p className="small t2">Not saved yet.</p>}
      {past.isPending && <p className="small t2">Loading</p>}
      {past.isError && <p className="small t2">Not loaded. It comes with the next change, or when the cell is selected again.</p>}
      <ol>
        {past.data?.map((change) => (
          <li key={change.revision} data-testid="cell-change">
            <b>{whatWords(change, names)}</b>
            <time dateTime={change.created_at}>{dayTime(change.created_at)}</time>
            <span>{whoWords(change)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
