import { Button } from "@mantine/core";
import { IconAlertOctagon, IconCloudOff, IconInfoCircle, IconLock } from "@tabler/icons-react";
import type { ReactNode } from "react";

import styles from "./states.module.css";

export type Tone = "info" | "error" | "offline" | "locked";

interface Props {
  tone?: Tone;
  title: string;
  detail?: ReactNode;
  action?: { label: string; run: () => void } | undefined;
  children?: ReactNode;
}

const ICONS = { info: IconInfoCircle, error: IconAlertOctagon, offline: IconCloudOff, locked: IconLock };

/** A state of a whole page or panel, in words: what is wrong, what is still fine, what to do. */
export function Notice({ tone = "info", title, detail, action, children }: Props) {
  const Icon = ICONS[tone];
  return (
    <section className={styles.notice} data-tone={tone} role={tone === "error" ? "alert" : "status"}>
      <Icon size={28} stroke={1.4} aria-hidden />
      <h1>{title}</h1>
      {detail && <p>{detail}</p>}
      {action && (
        <Button size="md" variant="default" onClick={action.run}>
          {action.label}
        </Button>
      )}
      {children}
    </section>
  );
}
