import { Button } from "@mantine/core";
import { IconAlertOctagon, IconCloudOff, IconGitMerge, IconLock, IconPlayerSkipForward, IconSend, IconSparkles } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";

import { messageOf } from "../../api/errors";
import type { ImageDetail } from "../../api/types";
import type { ImageSession } from "../../session/imageSession";
import { keyCap } from "../../session/keys/keyboard";
import { postSegment } from "../../session/requests";
import { day, percent } from "../format";
import { ConflictsDialog } from "./ConflictsDialog";
import { conflictWords } from "./conflictWords";
import { LeaseBanner } from "./LeaseBanner";
import { ProposalBanner } from "./ProposalBanner";
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

function skipWords({ skip }: ImageDetail): Words | null {
  if (!skip) return null;
  return { icon: <IconPlayerSkipForward {...ICON} />, text: `Skipped${skip.by ? ` by ${skip.by.name}` : ""} on ${day(skip.at)}: ${skip.reason}` };
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
    default: {
      if (cells > 0) return skipWords(image);
      // What the model found and keeps back stands above already.
      if (!image.blind && session.proposals.list.get().length > 0) return skipWords(image);
      const hint = session.readOnly ? "No cells here." : `No cells here yet. Press ${keyCap("tool.smart-box")} and drag a box around one.`;
      const words = image.blind ? `${image.proposals_hidden_reason} ${hint}` : hint;
      return skipWords(image) ?? { icon: <IconSparkles {...ICON} />, text: words };
    }
  }
}

/** Changes that met others', or were not taken: what became of them, and the way to decide. */
function Conflicts({ session }: { session: ImageSession }) {
  const conflicts = useValue(session.conflicts.list);
  const [opened, setOpened] = useState(false);
  return (
    <>
      {conflicts.length > 0 && (
        <p className={styles.banner} role="status" data-testid="conflicts">
          <IconGitMerge {...ICON} />
          <span>{conflictWords(conflicts)}</span>
          <Button variant="subtle" onClick={() => setOpened(true)}>
            Look
          </Button>
        </p>
      )}
      <ConflictsDialog session={session} opened={opened} onClose={() => setOpened(false)} />
    </>
  );
}

function Offline({ session }: { session: ImageSession }) {
  const { kind, kept } = useValue(session.saved);
  if (kind !== "offline") return null;
  return (
    <p className={styles.banner} role="status" data-tone="offline" data-testid="offline">
      <IconCloudOff {...ICON} />
      <span>{kept ? "Offline. Go on labelling: changes are kept in this browser and sent later." : "Offline, and this browser keeps nothing: leave this page open until the changes are sent."}</span>
    </p>
  );
}

/** The state of the image in words, where it is not simply ready. */
export function Banner({ session }: { session: ImageSession }) {
  const image = useValue(session.image);
  const { kind } = useValue(session.access);
  useValue(session.changes);
  useValue(session.proposals.list);
  const words = wordsFor(image, session.document.size, session);
  return (
    <div className={styles.banners}>
      {kind === "viewer" && (
        <p className={styles.banner} role="status">
          <IconLock {...ICON} />
          <span>{session.readOnly}</span>
        </p>
      )}
      <LeaseBanner session={session} />
      <Offline session={session} />
      <Conflicts session={session} />
      <ProposalBanner session={session} />
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
