import { Button, Modal } from "@mantine/core";
import { type RefObject, useEffect, useRef } from "react";

import type { Conflict } from "../../session/conflicts";
import type { ImageSession } from "../../session/imageSession";
import { dayTime } from "../format";
import { conflictWords, isKeptAside } from "./conflictWords";
import styles from "./dialogs.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
  opened: boolean;
  onClose: () => void;
}

/**
 * What is decided on goes, and the focus with it: it moves on to the row that comes into its place, which says what it is about, or
 * after the last to the words. Returns where the words and the rows hang, and what to do a decision with.
 */
function useFocusAfter(conflicts: readonly Conflict[], now: () => readonly Conflict[]) {
  const words: RefObject<HTMLParagraphElement | null> = useRef(null);
  const rows: RefObject<HTMLUListElement | null> = useRef(null);
  const gone = useRef<number | null>(null);
  useEffect(() => {
    const at = gone.current;
    gone.current = null;
    if (at === null) return;
    const row = rows.current?.children[Math.min(at, conflicts.length - 1)];
    (row instanceof HTMLElement ? row : words.current)?.focus();
  }, [conflicts]);
  const decide = (at: number, act: () => void): void => {
    act();
    if (now().length < conflicts.length) gone.current = at;
  };
  return { words, rows, decide };
}

/** Changes that met someone else's, or were not taken. Neither version is thrown away before a person says so. */
export function ConflictsDialog({ session, opened, onClose }: Props) {
  const conflicts = useValue(session.conflicts.list);
  const { words, rows, decide } = useFocusAfter(conflicts, session.conflicts.list.get);
  return (
    <Modal opened={opened} onClose={onClose} title="Changes to decide on" closeButtonProps={{ "aria-label": "Close" }}>
      <p ref={words} className="t2" tabIndex={-1}>
        {conflicts.length === 0 ? "Nothing is left to decide." : conflictWords(conflicts)}
      </p>
      <ul ref={rows} className={styles.conflicts}>
        {conflicts.map((conflict, at) => (
          <li key={conflict.id} className={styles.conflict} tabIndex={-1} data-testid="conflict">
            <span className="grow">
              {conflict.words}
              <br />
              <time>{dayTime(new Date(conflict.at).toISOString())}</time>
            </span>
            {isKeptAside(conflict) && (
              <Button variant="default" disabled={session.readOnly !== null} onClick={() => decide(at, () => session.conflicts.tryAgain(conflict.id))}>
                Use mine
              </Button>
            )}
            <Button variant="subtle" onClick={() => decide(at, () => session.conflicts.dismiss(conflict.id))}>
              {isKeptAside(conflict) ? "Drop mine" : "Keep both"}
            </Button>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
