import { ActionIcon } from "@mantine/core";
import { IconEye, IconEyeOff } from "@tabler/icons-react";

import type { ChannelLook } from "../../render/imageLayer";
import type { Histogram } from "../../session/histogram";
import type { ImageSession } from "../../session/imageSession";
import { HistogramRange } from "./HistogramRange";
import { Slider } from "./Slider";
import styles from "./channels.module.css";
import { useValue } from "./useValue";

const hex = (color: readonly number[]): string => `#${color.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
const rgb = (text: string): [number, number, number] => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)) as [number, number, number];

/** Gamma from 0.2 to 5, with 1 in the middle of the slider. */
const STEEPEST = 5;

interface ChannelProps {
  name: string;
  look: ChannelLook;
  histogram: Histogram | null;
  largest: number;
  onChange: (look: Partial<ChannelLook>) => void;
}

function Channel({ name, look, histogram, largest, onChange }: ChannelProps) {
  const max = Math.max(histogram?.max ?? largest, look.high);
  return (
    <section className={styles.channel} aria-label={`Channel ${name}`} data-off={!look.visible}>
      <header>
        <input type="color" aria-label={`Color of ${name}`} value={hex(look.color)} onChange={(event) => onChange({ color: rgb(event.currentTarget.value) })} />
        <b className="ellipsis">{name}</b>
        <span className="grow" />
        <span className={styles.range}>
          {Math.round(look.low)} – {Math.round(look.high)}
        </span>
        <ActionIcon aria-label={look.visible ? `Hide ${name}` : `Show ${name}`} aria-pressed={look.visible} onClick={() => onChange({ visible: !look.visible })}>
          {look.visible ? <IconEye size={16} stroke={1.5} /> : <IconEyeOff size={16} stroke={1.5} />}
        </ActionIcon>
      </header>
      <HistogramRange name={name} look={look} histogram={histogram} max={max} onChange={onChange} />
      <div className={styles.gamma}>
        <span>Gamma</span>
        <Slider
          label={`Gamma of ${name}`}
          min={-1}
          max={1}
          step={0.02}
          value={Math.log(look.gamma) / Math.log(STEEPEST)}
          text={look.gamma.toFixed(2)}
          onChange={(value) => onChange({ gamma: STEEPEST ** value })}
          onReset={() => onChange({ gamma: 1 })}
        />
        <b>{look.gamma.toFixed(2)}</b>
      </div>
    </section>
  );
}

export function ChannelsDock({ session }: { session: ImageSession }) {
  const looks = useValue(session.looks.chosen);
  const histograms = useValue(session.looks.histograms);
  const { channels, dtype } = session.opened.image;
  return channels.map(({ name }, index) => (
    <Channel
      key={name}
      name={name}
      look={looks[index]}
      histogram={histograms[index]}
      largest={dtype === "uint16" ? 65535 : 255}
      onChange={(look) => session.looks.change(index, look)}
    />
  ));
}
