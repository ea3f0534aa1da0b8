import type { ReactNode } from "react";

import styles from "./shell.module.css";
import { TopBar } from "./TopBar";

/** The frame of the pages that belong to no project. */
export function PlainPage({ children }: { children: ReactNode }) {
  return (
    <div className={styles.page}>
      <TopBar title={<b className={styles.appName}>CellLoop</b>} />
      <div className={styles.content}>{children}</div>
    </div>
  );
}
