import { useEffect, useState } from "react";

import type { ImageSession } from "../../session/imageSession";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

/** Long enough to read: a base, and more for long sentences. */
const shownFor = (words: string): number => 2500 + words.length * 50;

/** What just happened, in one sentence at the foot of the picture. */
export function Message({ session }: { session: ImageSession }) {
  const notice = useValue(session.notice);
  const [over, setOver] = useState(0);
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(() => setOver(notice.number), shownFor(notice.words));
    return () => clearTimeout(timer);
  }, [notice]);
  const shown = notice && notice.number !== over;
  return (
    <div className={styles.message} role="status" aria-live="polite" data-testid="message">
      {shown && <span key={notice.number}>{notice.words}</span>}
    </div>
  );
}
