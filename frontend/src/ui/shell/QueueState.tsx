import type { Project } from "../../api/types";
import { whole } from "../format";
import styles from "./shell.module.css";

interface Props {
  project: Project;
  connected: boolean;
}

/** At the right of the bar, always the same place: which model labels now, and how much waits. */
export function QueueState({ project, connected }: Props) {
  if (!connected) {
    return (
      <span className={styles.queue} data-off role="status">
        <i aria-hidden />
        Offline. Trying again.
      </span>
    );
  }
  const waiting = project.counts.queued + project.counts.segmenting;
  const model = project.active_version ? `Model ${project.active_version.name}` : "No model";
  return (
    <span className={styles.queue} role="status">
      <i aria-hidden />
      {model} · {waiting === 0 ? "queue empty" : `${whole(waiting)} in queue`}
    </span>
  );
}
