import { Button, Modal } from "@mantine/core";

import type { ImageSession } from "../../session/imageSession";
import { dayTime } from "../format";
import styles from "./dialogs.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
  opened: boolean;
  onClose: () => void;
}

/** Changes that could not be made because someone else had changed the same cells. Neither version is thrown away here. */
export function ConflictsDialog({ session, opened, onClose }: Props) {
  const conflicts = useValue(session.conflicts.list);
  return (
    <Modal opened={opened} onClose={onClose} title="Changes kept aside" closeButtonProps={{ "aria-label": "Close" }}>
      <p className="t2">The picture shows what is saved. Your version of each change is kept here until you decide.</p>
      <ul>
        {conflicts.map(({ id, words, patch, at }) => (
          <li key={id} className={styles.conflict} data-testid="conflict">
            <span className="grow">
              {words}
              <br />
              <time>{dayTime(new Date(at).toISOString())}</time>
            </span>
            {patch !== null && (
              <Button variant="default" disabled={session.readOnly !== null} onClick={() => session.conflicts.tryAgain(id)}>
                Use mine
              </Button>
            )}
            <Button variant="subtle" onClick={() => session.conflicts.dismiss(id)}>
              Drop mine
            </Button>
          </li>
        ))}
      </ul>
      {conflicts.length === 0 && <p className="t2">Nothing is left to decide.</p>}
    </Modal>
  );
}
