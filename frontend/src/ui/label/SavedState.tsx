import { IconCloudCheck, IconCloudOff, IconCloudUp, IconGitMerge, IconLock, type TablerIcon } from "@tabler/icons-react";
import { useLocation } from "wouter";

import type { ImageSession } from "../../session/imageSession";
import type { Saved } from "../../session/saved";
import styles from "./labelBar.module.css";
import { useValue } from "./useValue";

const ICONS: Partial<Record<Saved["kind"], TablerIcon>> = { saved: IconCloudCheck, waiting: IconCloudUp, conflict: IconGitMerge, view: IconLock };

/** What the server has acknowledged, in a place of fixed width. */
export function SavedState({ session }: { session: ImageSession }) {
  const { kind, waiting, words } = useValue(session.saved);
  useValue(session.access);
  const [path] = useLocation();
  if (session.readOnly !== null && waiting === 0) {
    return (
      <span className={styles.saved} data-testid="saved-state" data-problem="none" data-view data-waiting={0} title={session.readOnly}>
        <IconLock size={16} stroke={1.5} aria-hidden />
        View only
      </span>
    );
  }
  const fine = kind === "saved" || kind === "waiting";
  const Icon = ICONS[kind] ?? IconCloudOff;
  return (
    <span className={styles.saved} data-testid="saved-state" data-problem={fine ? "none" : kind} data-waiting={waiting} role="status">
      <Icon size={16} stroke={1.5} aria-hidden />
      <span className="ellipsis" title={words}>
        {words}
      </span>
      {kind === "signed_out" && <a href={`/login?next=${encodeURIComponent(path)}`}>Log in</a>}
    </span>
  );
}
