import styles from "./states.module.css";

/** Words, not a spinner; hidden for the first 300 ms by its style. */
export function Loading({ what }: { what: string }) {
  return (
    <div className={styles.loading} role="status">
      Loading {what}
    </div>
  );
}
