import { change as changeWords, score } from "../format";
import type { Change } from "./figures";
import styles from "./figures.module.css";

/** "+0.02 (−0.01 to +0.05)": the change and, where the gate measured it, its 95% interval. */
export function intervalWords({ low, high }: Pick<Change, "low" | "high">): string {
  return low === null || high === null ? "" : `${signed(low)} to ${signed(high)}`;
}

function signed(value: number): string {
  const words = changeWords(0, value);
  return words === "same" ? "0.00" : words;
}

function isWorse({ before, after, isLowerBetter }: Change): boolean {
  return isLowerBetter ? after > before : after < before;
}

/** What the gate looked at, both models side by side. */
export function GateTable({ changes, before, after }: { changes: readonly Change[]; before: string; after: string }) {
  return (
    <table className={styles.gate} data-testid="gate-table">
      <thead>
        <tr>
          <th>Figure</th>
          <th data-number>{before}</th>
          <th data-number>{after}</th>
          <th data-number>Change</th>
          <th data-number>95% interval</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => {
          const words = changeWords(change.before, change.after);
          return (
            <tr key={change.name}>
              <td>
                {change.name}
                {change.isLowerBetter && <span className="t3">, lower is better</span>}
              </td>
              <td data-number>{score(change.before)}</td>
              <td data-number>{score(change.after)}</td>
              <td data-number data-worse={(words !== "same" && isWorse(change)) || undefined}>
                {words}
              </td>
              <td data-number className="t3">
                {intervalWords(change)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
