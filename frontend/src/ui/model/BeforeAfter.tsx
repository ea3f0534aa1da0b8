import type { Change } from "./figures";
import { change as changeWords, score } from "../format";
import styles from "./figures.module.css";

const LEFT = 132;
const RIGHT = 320;
const ROW = 40;

/** The axis: from a round tenth under the lowest figure up to 1. */
export function axisOf(changes: readonly Change[]): { low: number; ticks: number[] } {
  const values = changes.flatMap(({ before, after, low }) => [before, after, low === null ? after : before + low]);
  const low = Math.max(0, Math.min(0.8, Math.floor((Math.min(...values) - 0.02) * 10) / 10));
  const step = 1 - low > 0.5 ? 0.2 : 0.1;
  const ticks: number[] = [];
  for (let tick = 1; tick >= low - 1e-9; tick -= step) ticks.unshift(Number(tick.toFixed(1)));
  return { low, ticks };
}

interface Props {
  changes: readonly Change[];
  before: string;
  after: string;
}

function Row({ change, y, x }: { change: Change; y: number; x: (value: number) => number }) {
  const { name, before, after, low, high } = change;
  const isWorse = after < before;
  const words = changeWords(before, after);
  return (
    <g>
      <text x="0" y={y + 4} className={styles.plotName}>
        {name}
      </text>
      <circle cx={x(before)} cy={y - 6} r="4" fill="var(--bg-2)" stroke="var(--text-2)" strokeWidth="2" />
      {low !== null && high !== null && (
        <path d={`M${x(before + low)} ${y + 6}H${x(before + high)}`} stroke="var(--accent)" strokeWidth="2" strokeLinecap="round" opacity=".7" />
      )}
      <circle cx={x(after)} cy={y + 6} r="4.5" fill="var(--accent)" />
      <text x="376" y={y + 4} textAnchor="end" className={styles.plotChange} data-worse={(isWorse && words !== "same") || undefined}>
        {words}
      </text>
    </g>
  );
}

/** F1 of the active and the new version, in all and by group; the bar is the 95% interval of the change. */
export function BeforeAfter({ changes, before, after }: Props) {
  const { low, ticks } = axisOf(changes);
  const x = (value: number) => LEFT + ((Math.min(1, Math.max(low, value)) - low) / (1 - low)) * (RIGHT - LEFT);
  const bottom = changes.length * ROW + 8;
  const words = changes.map((change) => `${change.name} ${score(change.before)} to ${score(change.after)}`).join(", ");
  return (
    <figure className={styles.plot}>
      <svg viewBox={`0 0 376 ${bottom + 24}`} role="img" aria-label={`${before} to ${after}: ${words}`}>
        {ticks.map((tick) => (
          <g key={tick}>
            <path d={`M${x(tick)} 4V${bottom}`} stroke="var(--line)" />
            <text x={x(tick)} y={bottom + 18} textAnchor="middle" className={styles.plotTick}>
              {tick.toFixed(1)}
            </text>
          </g>
        ))}
        {changes.map((change, index) => (
          <Row key={change.name} change={change} y={24 + index * ROW} x={x} />
        ))}
      </svg>
      <figcaption className={styles.legend}>
        <span data-before>{before}</span>
        <span data-after>{after}</span>
      </figcaption>
    </figure>
  );
}
