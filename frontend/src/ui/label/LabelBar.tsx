import { ActionIcon, Button, Menu, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp, IconChevronDown, IconChevronLeft, IconChevronRight, IconKeyboard, IconNote, IconPlayerSkipForward } from "@tabler/icons-react";
import { Link } from "wouter";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { keyboard, keyCap } from "../../session/keys/keyboard";
import { percent, whole } from "../format";
import { AvatarMenu } from "../shell/AvatarMenu";
import { Logo } from "../shell/Logo";
import { People } from "./People";
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

/** How far the project is: always in sight, in a place of fixed width. */
function Progress({ session }: { session: ImageSession }) {
  const progress = useValue(session.queue.progress);
  if (!progress || progress.total === 0) return <span className={styles.progress} />;
  const { submitted, total, open, skipped, waiting, failed } = progress;
  const rest = [`${whole(open)} to do`, skipped > 0 && `${whole(skipped)} skipped`, waiting > 0 && `${whole(waiting)} not ready yet`, failed > 0 && `${whole(failed)} failed`];
  return (
    <Tooltip label={`${whole(submitted)} of ${whole(total)} submitted, ${rest.filter(Boolean).join(", ")}`}>
      <span className={styles.progress} data-testid="project-progress" role="img" aria-label={`${whole(submitted)} of ${whole(total)} images submitted`}>
        <i style={{ "--part": `${(submitted / total) * 100}%` } as React.CSSProperties} />
        <b>{percent(submitted / total)}</b>
      </span>
    </Tooltip>
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

const ICON = { size: 16, stroke: 1.5, "aria-hidden": true } as const;

/** Submit is one press; beside it is what else can become of an image. */
function SubmitButton({ session, hands }: Props) {
  useValue(session.access);
  const off = session.readOnly !== null;
  const [next] = useValue(session.queue.upcoming);
  const then = next ? `Submit this image and open ${next.image.name}. ${next.reason.detail}` : "Submit this image: it is the last of the queue";
  return (
    <div className={styles.submit}>
      <Button
        data-testid="submit"
        disabled={off}
        title={session.readOnly ?? then}
        rightSection={<kbd>{keyCap("image.submit")}</kbd>}
        onClick={() => hands.run("image.submit")}
      >
        Submit
      </Button>
      <Menu position="bottom-end" width={264}>
        <Menu.Target>
          <Button className={styles.more} aria-label="Skip, or write a note" data-testid="submit-more" disabled={off} px={6}>
            <IconChevronDown size={14} stroke={2} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item data-testid="skip" leftSection={<IconPlayerSkipForward {...ICON} />} rightSection={<kbd>{keyCap("image.skip")}</kbd>} onClick={() => hands.run("image.skip")}>
            Skip with a reason
          </Menu.Item>
          <Menu.Item data-testid="write-note" leftSection={<IconNote {...ICON} />} rightSection={<kbd>{keyCap("note.write")}</kbd>} onClick={() => hands.run("note.write")}>
            Write a note
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

export function LabelBar({ session, hands }: Props) {
  useValue(keyboard.bindings);
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
      <Progress session={session} />
      <span className="grow" />
      <SavedState session={session} />
      <span className={styles.rule} />
      <UndoRedo session={session} hands={hands} />
      <span className={styles.rule} />
      <People session={session} />
      <Tooltip label={`All keys  ${keyCap("help.keys")}`}>
        <ActionIcon className={styles.help} aria-label="All keys" data-testid="help" onClick={() => hands.run("help.keys")}>
          <IconKeyboard size={18} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      <AvatarMenu />
      <SubmitButton session={session} hands={hands} />
    </header>
  );
}
