import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp, IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { Link } from "wouter";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { keyCap } from "../../session/keymap";
import { AvatarMenu } from "../shell/AvatarMenu";
import { Logo } from "../shell/Logo";
import { SavedState } from "./SavedState";
import styles from "./labelBar.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
  hands: Hands;
}

function Position({ session, hands }: Props) {
  const image = useValue(session.image);
  return (
    <nav className={styles.position} aria-label="Images of the project">
      <Tooltip label={`Previous image  ${keyCap("image.previous")}`}>
        <ActionIcon aria-label="Previous image" disabled={!image.previous} onClick={() => hands.run("image.previous")}>
          <IconChevronLeft size={16} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      <b>
        {image.position}
        <span> / {image.total}</span>
      </b>
      <Tooltip label={`Next image  ${keyCap("image.next")}`}>
        <ActionIcon aria-label="Next image" disabled={!image.next} onClick={() => hands.run("image.next")}>
          <IconChevronRight size={16} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
    </nav>
  );
}

function UndoRedo({ session, hands }: Props) {
  useValue(session.changes);
  const { canUndo, canRedo } = session.history;
  return (
    <>
      <Tooltip label={canUndo ? `Undo  ${keyCap("edit.undo")}` : "Nothing to undo"}>
        <ActionIcon data-testid="undo" aria-label="Undo" disabled={!canUndo} onClick={() => hands.run("edit.undo")}>
          <IconArrowBackUp size={18} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={canRedo ? `Redo  ${keyCap("edit.redo")}` : "Nothing to redo"}>
        <ActionIcon data-testid="redo" aria-label="Redo" disabled={!canRedo} onClick={() => hands.run("edit.redo")}>
          <IconArrowForwardUp size={18} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
    </>
  );
}

export function LabelBar({ session, hands }: Props) {
  const { project, image } = session.opened;
  return (
    <header className={styles.bar}>
      <Link href="/" className={styles.home} aria-label="All projects">
        <Logo />
      </Link>
      <Link href={`/projects/${project.id}`} className={styles.project}>
        {project.name}
      </Link>
      <IconChevronRight className={styles.chevron} size={14} aria-hidden />
      <h1 className={styles.name} title={image.name}>
        {image.name}
      </h1>
      <Position session={session} hands={hands} />
      <span className="grow" />
      <SavedState session={session} />
      <span className={styles.rule} />
      <UndoRedo session={session} hands={hands} />
      <span className={styles.rule} />
      <AvatarMenu />
      <Button
        data-testid="submit"
        className={styles.submit}
        disabled={session.readOnly !== null}
        title={session.readOnly ?? "Submit this image and open the next one"}
        rightSection={<kbd>Ctrl Enter</kbd>}
        onClick={() => hands.run("image.submit")}
      >
        Submit
      </Button>
    </header>
  );
}
