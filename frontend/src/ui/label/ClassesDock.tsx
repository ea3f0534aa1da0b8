import { IconCheck } from "@tabler/icons-react";
import { Link } from "wouter";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { counted, whole } from "../format";
import { canManage } from "../people/roles";
import styles from "./classes.module.css";
import { ColourBySelect } from "./ColourBySelect";
import { useValue } from "./useValue";

interface RowProps {
  name: string;
  colour: string | null;
  cap: string;
  count: number;
  current: boolean;
  onChoose: () => void;
}

function ClassRow({ name, colour, cap, count, current, onChoose }: RowProps) {
  return (
    <li>
      <button type="button" className={styles.row} aria-pressed={current} data-testid="class-row" data-name={name} onClick={onChoose}>
        {cap ? <kbd>{cap}</kbd> : <span className={styles.noKey} />}
        <i style={colour ? { background: colour } : undefined} data-none={colour === null} aria-hidden />
        <span className="ellipsis grow">{name}</span>
        {current && <IconCheck size={14} stroke={2} aria-hidden />}
        <span className={styles.count} data-testid="class-count">
          {whole(count)}
        </span>
      </button>
    </li>
  );
}

/** The project's classes. Choosing one gives it to the selected cells, and to the cells that are drawn from now on. */
export function ClassesDock({ session, hands }: { session: ImageSession; hands: Hands }) {
  const classes = useValue(session.classes.offered);
  const current = useValue(session.classes.current);
  const selection = useValue(session.selection);
  useValue(session.changes);
  const counts = session.classes.counts();
  const { project } = session.opened;
  const manages = canManage(project.role);
  const choose = (id: string | null): void => {
    session.classes.current.set(id);
    if (selection.size > 0) session.classes.assign(id);
  };

  if (classes.length === 0) {
    return (
      <div className={styles.none}>
        <p>This project has no classes yet.</p>
        {manages ? <Link href={`/projects/${project.id}/classes`}>Make the first class</Link> : <p>An admin of the project can make some.</p>}
      </div>
    );
  }
  return (
    <>
      <ul className={styles.list} aria-label="Classes">
        {classes.map(({ id, name, colour, key }) => (
          <ClassRow key={id} name={name} colour={colour} cap={key === null ? "" : String(key)} count={counts.get(id) ?? 0} current={current === id} onChoose={() => choose(id)} />
        ))}
        <ClassRow name="No class" colour={null} cap="" count={counts.get(null) ?? 0} current={current === null} onChoose={() => choose(null)} />
      </ul>
      <div className={styles.foot}>
        <p>
          {selection.size > 0 ? `Gives the class to ${counted(selection.size, "cell")}, and to new ones.` : "New cells get this class."}
          {session.tool.get() !== "class" && (
            <>
              {" "}
              <button type="button" onClick={() => hands.run("tool.class")}>
                Paint classes
              </button>
            </>
          )}
        </p>
        <ColourBySelect session={session} />
        {manages && <Link href={`/projects/${project.id}/classes`}>Edit classes</Link>}
      </div>
    </>
  );
}
