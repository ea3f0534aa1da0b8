import { Button, Modal } from "@mantine/core";

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

/** Changes that met someone else's, or were not taken. Neither version is thrown away before a person says so. */
export function ConflictsDialog({ session, opened, onClose }: Props) {
  const conflicts = useValue(session.conflicts.list);
  return (
    <Modal opened={opened} onClose={onClose} title="Changes to decide on" closeButtonProps={{ "aria-label": "Close" }}>
      <p className="t2">{conflicts.length === 0 ? "Nothing is left to decide." : conflictWords(conflicts)}</p>
      <ul className={styles.conflicts}>
        {conflicts.map((conflict) => (
          <li key={conflict.id} className={styles.conflict} data-testid="conflict">
            <span className="grow">
              {conflict.words}
              <br />
              <time>{dayTime(new Date(conflict.at).toISOString())}</time>
            </span>
            {isKeptAside(conflict) && (
              <Button variant="default" disabled={session.readOnly !== null} onClick={() => session.conflicts.tryAgain(conflict.id)}>
                Use mine
              </Button>
            )}
            <Button variant="subtle" onClick={() => session.conflicts.dismiss(conflict.id)}>
              {isKeptAside(conflict) ? "Drop mine" : "Keep both"}
            </Button>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
