import { useMemo } from "react";

import type { ChannelLook } from "../../render/imageLayer";
import { type Histogram, logHeights } from "../../session/histogram";
import styles from "./channels.module.css";

interface Props {
  name: string;
  look: ChannelLook;
  histogram: Histogram | null;
  /** The right end of the plot, in the samples' units. */
  max: number;
  onChange: (look: Partial<ChannelLook>) => void;
}

/** A filled curve in a 1 x 1 box, y down. Heights are logarithmic. */
function curve(histogram: Histogram, max: number): string {
  const heights = logHeights(histogram.counts);
  const width = histogram.max / max / heights.length;
  const points = heights.map((height, index) => `${((index + 0.5) * width).toFixed(4)},${(1 - height * 0.94).toFixed(4)}`);
  return `M0,1 L${points.join(" L")} L${(histogram.max / max).toFixed(4)},1 Z`;
}

const KEY_STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

function Handle({ which, name, look, max, onChange }: Omit<Props, "histogram"> & { which: "low" | "high" }) {
  const value = look[which];
  const set = (wanted: number): void => {
    const [least, most] = which === "low" ? [0, look.high - 1] : [look.low + 1, max];
    onChange({ [which]: Math.round(Math.min(most, Math.max(least, wanted))) });
  };
  return (
    <div
      className={styles.handle}
      style={{ left: `${(value / max) * 100}%` }}
      role="slider"
      tabIndex={0}
      aria-label={`${which === "low" ? "Black" : "White"} point of ${name}`}
      aria-valuemin={0}
      aria-valuemax={max}
      aria-valuenow={Math.round(value)}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        const plot = event.currentTarget.parentElement?.getBoundingClientRect();
        if (plot && event.buttons === 1) set(((event.clientX - plot.left) / plot.width) * max);
      }}
      onKeyDown={(event) => {
        const step = KEY_STEPS[event.key];
        if (step === undefined) return;
        event.preventDefault();
        set(value + step * Math.max(1, Math.round(max / 255)));
      }}
    />
  );
}

export function HistogramRange({ name, look, histogram, max, onChange }: Props) {
  const path = useMemo(() => (histogram ? curve(histogram, max) : ""), [histogram, max]);
  const [low, high] = [(look.low / max) * 100, (look.high / max) * 100];
  return (
    <div className={styles.histogram}>
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden>
        <path d={path} fill={`rgb(${look.color.join(" ")} / 0.75)`} />
      </svg>
      <span className={styles.dim} style={{ left: 0, width: `${low}%` }} />
      <span className={styles.dim} style={{ right: 0, width: `${100 - high}%` }} />
      <Handle which="low" name={name} look={look} max={max} onChange={onChange} />
      <Handle which="high" name={name} look={look} max={max} onChange={onChange} />
    </div>
  );
}
