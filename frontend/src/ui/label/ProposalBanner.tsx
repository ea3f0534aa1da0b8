import { Button } from "@mantine/core";
import { IconEyeOff, IconSparkles } from "@tabler/icons-react";

import type { ImageSession } from "../../session/imageSession";
import { counted } from "../format";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

/** What the model found and nobody sees yet: outlines that are hidden in this project come at a press, those over a person's work never by themselves. */
export function ProposalBanner({ session }: { session: ImageSession }) {
  const [newest] = useValue(session.proposals.list);
  const { blind, proposals_hidden_reason: hidden } = useValue(session.image);
  useValue(session.access);
  if (!newest) return null;
  const { id, cells, model_version: version } = newest;
  if (hidden && !blind) {
    return (
      <p className={styles.banner} role="status" data-testid="outlines-hidden">
        <IconEyeOff size={16} stroke={1.5} aria-hidden />
        <span>{hidden}</span>
        {session.readOnly === null && (
          <Button variant="subtle" data-testid="show-proposals" title="Take them as cells, beside those that you drew; undo puts them away" onClick={() => void session.proposals.accept(id, "add")}>
            Show the proposals
          </Button>
        )}
      </p>
    );
  }
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
