import { Button } from "@mantine/core";
import { IconAlertOctagon, IconLock, IconSend, IconSparkles } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";

import type { ImageDetail } from "../../api/types";
import { messageOf } from "../../api/errors";
import type { ImageSession } from "../../session/imageSession";
import { postSegment } from "../../session/requests";
import { percent } from "../format";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

interface Words {
  icon: ReactNode;
  text: ReactNode;
  tone?: "error";
  action?: { label: string; run: () => void };
}

const ICON = { size: 16, stroke: 1.5, "aria-hidden": true } as const;

function runAgain(session: ImageSession): void {
  postSegment(session.opened.image.id).then(
    () => session.say("The model runs again on this image."),
    (error: unknown) => session.say(`The model was not started. ${messageOf(error)}`),
  );
}

function wordsFor(image: ImageDetail, cells: number, session: ImageSession): Words | null {
  const drawn = session.readOnly ? "" : " You can draw cells by hand meanwhile.";
  switch (image.status) {
    case "queued":
    case "ingesting":
      return { icon: <IconSparkles {...ICON} />, text: `Waiting for the model.${drawn}` };
    case "segmenting":
      return { icon: <IconSparkles {...ICON} />, text: `Segmenting ${image.progress === null ? "" : percent(image.progress)}. Cells appear when it is done.` };
    case "needs_channels":
      return {
        icon: <IconAlertOctagon {...ICON} />,
        text: (
          <>
            The model does not know these channels. <Link href={`/projects/${image.project}`}>Map them in the project</Link>.{drawn}
          </>
        ),
      };
    case "failed":
      return {
        icon: <IconAlertOctagon {...ICON} />,
        tone: "error",
        text: `The model failed on this image: ${image.error || "no reason given"}${image.error.endsWith(".") ? "" : "."} The picture is fine.`,
        action: session.readOnly ? undefined : { label: "Run again", run: () => runAgain(session) },
      };
    case "submitted":
      return {
        icon: <IconSend {...ICON} />,
        text: `${image.submitted_by ? `${image.submitted_by} submitted this image.` : "This image is submitted."}${session.readOnly ? "" : " Changing a cell reopens it."}`,
      };
    default:
      if (cells > 0) return null;
      return { icon: <IconSparkles {...ICON} />, text: session.readOnly ? "No cells here." : "No cells here yet. Press S and drag a box around one." };
  }
}

/** The state of the image in words, where it is not simply ready. */
export function Banner({ session }: { session: ImageSession }) {
  const image = useValue(session.image);
  useValue(session.changes);
  const words = wordsFor(image, session.document.size, session);
  if (!words && !session.readOnly) return null;
  return (
    <div className={styles.banners}>
      {session.readOnly && (
        <p className={styles.banner} role="status">
          <IconLock {...ICON} />
          {session.readOnly}
        </p>
      )}
      {words && (
        <p className={styles.banner} role="status" data-tone={words.tone} data-testid="image-state">
          {words.icon}
          <span>{words.text}</span>
          {words.action && (
            <Button variant="subtle" onClick={words.action.run}>
              {words.action.label}
            </Button>
          )}
        </p>
      )}
    </div>
  );
}
