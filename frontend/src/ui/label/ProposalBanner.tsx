import { Button } from "@mantine/core";
import { IconSparkles } from "@tabler/icons-react";

import type { ImageSession } from "../../session/imageSession";
import { counted } from "../format";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

/** The model drew this image anew after a person had changed it: nothing is replaced before somebody says so. */
export function ProposalBanner({ session }: { session: ImageSession }) {
  const [newest] = useValue(session.proposals.list);
  useValue(session.access);
  if (!newest) return null;
  const { id, cells, model_version: version } = newest;
  return (
    <p className={styles.banner} role="status" data-testid="proposal">
      <IconSparkles size={16} stroke={1.5} aria-hidden />
      <span>
        {version ? `Model ${version.name}` : "A model"} drew {counted(cells, "cell")} here. Yours are untouched.
      </span>
      {session.readOnly === null && (
        <>
          <Button variant="subtle" data-testid="proposal-add" title="Keep your cells and add those that you do not have" onClick={() => void session.proposals.accept(id, "add")}>
            Add missing
          </Button>
          <Button variant="subtle" data-testid="proposal-replace" title="Take the model's cells in place of all that are here; undo brings them back" onClick={() => void session.proposals.accept(id, "replace")}>
            Replace all
          </Button>
          <Button variant="subtle" data-quiet data-testid="proposal-dismiss" onClick={() => void session.proposals.dismiss(id)}>
            Dismiss
          </Button>
        </>
      )}
    </p>
  );
}
