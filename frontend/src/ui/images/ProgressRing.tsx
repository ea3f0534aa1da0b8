import { percent } from "../format";
import styles from "./images.module.css";

const RADIUS = 22;
const LENGTH = 2 * Math.PI * RADIUS;

interface Props {
  total: number;
  submitted: number;
  inProgress: number;
}

function Arc({ share, offset, color }: { share: number; offset: number; color: string }) {
  return (
    <circle cx="26" cy="26" r={RADIUS} stroke={color} strokeDasharray={`${share * LENGTH} ${LENGTH}`} strokeDashoffset={-offset * LENGTH} transform="rotate(-90 26 26)" />
  );
}

/** How much of the project is submitted, and how much is begun. */
export function ProgressRing({ total, submitted, inProgress }: Props) {
  const done = total > 0 ? submitted / total : 0;
  const begun = total > 0 ? inProgress / total : 0;
  const text = percent(done);
  return (
    <div className={styles.ring} role="img" aria-label={`${text} of the images are submitted`}>
      <svg width="52" height="52" viewBox="0 0 52 52" fill="none" strokeWidth="5" aria-hidden>
        <circle cx="26" cy="26" r={RADIUS} stroke="var(--bg-4)" />
        <Arc share={begun} offset={done} color="var(--violet)" />
        <Arc share={done} offset={0} color="var(--accent)" />
      </svg>
      <b aria-hidden>{text}</b>
    </div>
  );
}
