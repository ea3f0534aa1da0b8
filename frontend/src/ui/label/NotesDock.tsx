import { ActionIcon, Button, Textarea } from "@mantine/core";
import { IconCheck, IconRotate, IconTrash } from "@tabler/icons-react";
import { useState } from "react";

import type { Note } from "../../api/notes";
import type { ImageSession } from "../../session/imageSession";
import { dayTime } from "../format";
import { canEdit } from "../people/roles";
import { Avatar } from "../shell/Avatar";
import styles from "./notes.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
}

function NoteRow({ session, note }: Props & { note: Note }) {
  const cell = note.cell === null ? undefined : session.document.get(note.cell);
  const mayWrite = canEdit(session.opened.project.role);
  const resolved = note.resolved_at !== null;
  const goTo = (): void => {
    if (!cell) return;
    session.selection.set(new Set([cell.id]));
    session.view.reveal(cell.box);
  };
  return (
    <li className={styles.note} data-resolved={resolved} data-testid="note">
      <header>
        {note.author && <Avatar id={note.author.id} initials={note.author.initials} size={18} />}
        <b className="ellipsis">{note.author?.name ?? "Someone who left"}</b>
        <time dateTime={note.created_at}>{dayTime(note.created_at)}</time>
        <span className="grow" />
        {mayWrite && (
          <ActionIcon size={24} aria-label={resolved ? "Open this note again" : "Mark this note as done"} onClick={() => void session.notes.resolve(note.id, !resolved)}>
            {resolved ? <IconRotate size={14} stroke={1.5} /> : <IconCheck size={14} stroke={1.8} />}
          </ActionIcon>
        )}
        {note.mine && (
          <ActionIcon size={24} aria-label="Delete this note" onClick={() => void session.notes.remove(note.id)}>
            <IconTrash size={14} stroke={1.5} />
          </ActionIcon>
        )}
      </header>
      {note.cell !== null &&
        (cell ? (
          <button type="button" onClick={goTo}>
            Cell {cell.label}
          </button>
        ) : (
          <span className="small t2">On a cell that is gone</span>
        ))}
      <p>{note.text}</p>
      {resolved && <span className="small t2">Done{note.resolved_by && `, ${note.resolved_by.name}`}</span>}
    </li>
  );
}

function WriteNote({ session }: Props) {
  const [text, setText] = useState("");
  const [only, ...more] = useValue(session.selection);
  const cell = only !== undefined && more.length === 0 ? session.document.get(only) : undefined;
  const write = async (): Promise<void> => {
    const written = text.trim();
    if (written === "") return;
    const sent = await session.notes.write(written, cell?.id ?? null);
    // What was typed on meanwhile stays, and so does a note that did not get through.
    if (sent) setText((now) => (now.trim() === written ? "" : now));
  };
  return (
    <form
      className={styles.write}
      onSubmit={(event) => {
        event.preventDefault();
        void write();
      }}
    >
      <Textarea
        aria-label={cell ? `Note on cell ${cell.label}` : "Note on the image"}
        placeholder={cell ? `Note on cell ${cell.label}` : "Note on the image"}
        rows={2}
        maxLength={2000}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void write();
        }}
      />
      <Button type="submit" variant="default" disabled={text.trim() === ""}>
        Add note
      </Button>
    </form>
  );
}

/** What people tell each other about this image and its cells. */
export function NotesDock({ session }: Props) {
  const notes = useValue(session.notes.list);
  useValue(session.changes);
  return (
    <>
      {notes === null || notes.length === 0 ? (
        <p className={styles.none}>{notes === null ? "Loading the notes" : "No notes on this image. With a cell selected, a note is about that cell."}</p>
      ) : (
        <ul className={styles.list} aria-label="Notes" tabIndex={0}>
          {notes.map((note) => (
            <NoteRow key={note.id} session={session} note={note} />
          ))}
        </ul>
      )}
      {canEdit(session.opened.project.role) && <WriteNote session={session} />}
    </>
  );
}
