import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useState } from "react";

import { messageOf } from "../../api/errors";
import type { ImageSession } from "../../session/imageSession";
import { counted } from "../format";
import { Confirm } from "../states/Confirm";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

const ICON = { size: 16, stroke: 1.5, "aria-hidden": true } as const;

/** Someone else labels this image: who, what that means here, and the way out. */
export function LeaseBanner({ session }: { session: ImageSession }) {
  const { kind, holder, lost } = useValue(session.access);
  const { waiting } = useValue(session.saved);
  const [asking, setAsking] = useState(false);
  if (kind !== "theirs" || !holder) return null;
  const own = holder.id === session.opened.user.id;
  const who = own ? "your other tab" : holder.name;
  const unsent = lost && waiting > 0;
  const say = (act: string) => (error: unknown) => session.say(`${act}. ${messageOf(error)}`);
  const takeOver = (): void => void session.takeOver().catch(say("Not taken over"));
  return (
    <>
      <p className={styles.banner} role="status" data-tone="locked" data-testid="lease">
        <IconLock {...ICON} />
        <span>
          {session.readOnly}
          {unsent && ` ${counted(waiting, "change")} of yours ${waiting === 1 ? "is" : "are"} not sent.`}
        </span>
        <Button variant="subtle" data-testid="take-over" onClick={() => setAsking(true)}>
          {unsent ? "Take over again and save" : "Take over"}
        </Button>
        {unsent && (
          <Button variant="subtle" data-quiet onClick={() => void session.unsent.setAside().catch(say("Not put aside"))}>
            Put aside
          </Button>
        )}
      </p>
      <Confirm
        opened={asking}
        isDanger={false}
        title={`Take over from ${who}?`}
        detail={`${own ? "That tab" : `${who}'s page`} becomes read-only and follows this one. Nothing that was saved is lost.`}
        act="Take over"
        onClose={() => setAsking(false)}
        onConfirm={takeOver}
      />
    </>
  );
}
