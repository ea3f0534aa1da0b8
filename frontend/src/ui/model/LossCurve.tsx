import { score } from "../format";
import styles from "./versions.module.css";

const WIDTH = 132;
const HEIGHT = 28;

/** The loss so far, drawn over the share of the run that is done. */
export function LossCurve({ losses, progress }: { losses: readonly number[]; progress: number }) {
  if (losses.length < 2) return null;
  const top = Math.max(...losses);
  const bottom = Math.min(...losses);
  const width = WIDTH * Math.min(1, Math.max(0.1, progress));
  const points = losses.map((loss, index) => {
    const x = (index / (losses.length - 1)) * width;
    const y = 3 + (1 - (loss - bottom) / (top - bottom || 1)) * (HEIGHT - 6);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  const last = losses[losses.length - 1];
  return (
    <span className={styles.loss}>
      <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} fill="none" aria-hidden>
        <path d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} stroke="var(--bg-4)" />
        <path d={`M${points.join("L")}`} stroke="var(--accent)" strokeWidth="1.5" strokeLinejoin="round" />
      </svg>
      <span>
        loss <b>{score(last)}</b>
      </span>
    </span>
  );
}
