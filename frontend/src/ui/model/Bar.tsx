import styles from "./model.module.css";

interface Props {
  /** 0 to 1. */
  value: number;
  label: string;
  tone?: "accent" | "plain";
}

export function Bar({ value, label, tone = "accent" }: Props) {
  const share = Math.min(1, Math.max(0, value));
  return (
    <div className={styles.bar} data-tone={tone} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
      <i style={{ width: `${share * 100}%` }} />
    </div>
  );
}
