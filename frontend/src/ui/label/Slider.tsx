import styles from "./controls.module.css";

interface Props {
  label: string;
  min: number;
  max: number;
  step: number;
  value: number;
  /** Said instead of the number. */
  text?: string;
  disabled?: boolean;
  onChange: (value: number) => void;
  onReset?: () => void;
}

/** A thin slider; a double click puts it back where it started. */
export function Slider({ label, min, max, step, value, text, disabled, onChange, onReset }: Props) {
  const part = `${((value - min) / (max - min)) * 100}%`;
  return (
    <input
      type="range"
      className={styles.slider}
      style={{ "--part": part } as React.CSSProperties}
      aria-label={label}
      aria-valuetext={text}
      min={min}
      max={max}
      step={step}
      value={value}
      disabled={disabled}
      onChange={(event) => onChange(event.currentTarget.valueAsNumber)}
      onDoubleClick={onReset}
    />
  );
}
