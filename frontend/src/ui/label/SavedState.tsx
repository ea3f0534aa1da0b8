import { IconCloudCheck, IconCloudOff, IconCloudUp, IconLock } from "@tabler/icons-react";
import { useLocation } from "wouter";

import type { SaveState } from "../../session/autosave";
import type { ImageSession } from "../../session/imageSession";
import styles from "./labelBar.module.css";
import { useValue } from "./useValue";

function wordsFor({ waiting, problem }: SaveState): string {
  const changes = waiting === 1 ? "1 change waits" : `${waiting} changes wait`;
  if (problem === "reload") return "Out of step. Reload the page";
  if (problem === "refused" && waiting === 0) return "1 change not accepted";
  if (waiting === 0) return "All changes saved";
  if (problem === "offline") return `Offline, ${changes}`;
  if (problem === "signed_out") return `Signed out, ${changes}`;
  if (problem === "refused") return `Not accepted, ${changes}`;
  return waiting === 1 ? "Saving 1 change" : `Saving ${waiting} changes`;
}

/** What the server has acknowledged, in a place of fixed width. */
export function SavedState({ session }: { session: ImageSession }) {
  const state = useValue(session.autosave.state);
  const [path] = useLocation();
  if (session.readOnly !== null) {
    return (
      <span className={styles.saved} data-testid="saved-state" data-problem="none" data-waiting={0} title={session.readOnly}>
        <IconLock size={16} stroke={1.5} aria-hidden />
        View only
      </span>
    );
  }
  const bad = state.problem !== "none";
  const Icon = bad ? IconCloudOff : state.waiting > 0 ? IconCloudUp : IconCloudCheck;
  return (
    <span className={styles.saved} data-testid="saved-state" data-problem={state.problem} data-waiting={state.waiting} role="status">
      <Icon size={16} stroke={1.5} aria-hidden />
      {wordsFor(state)}
      {state.problem === "signed_out" && <a href={`/login?next=${encodeURIComponent(path)}`}>Log in</a>}
    </span>
  );
}
