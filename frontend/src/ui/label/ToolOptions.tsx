import { SegmentedControl, Select } from "@mantine/core";

import type { ImageSession } from "../../session/imageSession";
import { type ChoiceOption, type NumberOption, type OptionId, OPTIONS, type OptionSpec } from "../../tools/options";
import { Slider } from "./Slider";
import styles from "./tools.module.css";
import { useValue } from "./useValue";

interface Props<Spec, Value> {
  spec: Spec;
  value: Value;
  onChange: (value: Value) => void;
}

/** More choices than this, or longer words, are a list. */
const MOST_SEGMENTS = 3;
const MOST_LETTERS = 24;

const roundTo = (value: number, step: number): number => Math.round(value / step) * step;

/** Sizes feel even on a log scale: there the slider runs over the logarithm. */
function NumberField({ spec, value, onChange }: Props<NumberOption, number>) {
  const log = spec.scale === "log";
  const [to, from] = log ? [Math.log2, (x: number) => 2 ** x] : [(x: number) => x, (x: number) => x];
  const text = `${Number(value.toFixed(1))}${spec.unit && ` ${spec.unit}`}`;
  const set = (at: number): void => onChange(Math.min(spec.max, Math.max(spec.min, roundTo(from(at), spec.step))));
  return (
    <div className={styles.number} title={spec.says}>
      <div className={styles.field}>
        <span>{spec.label}</span>
        <b>{text}</b>
      </div>
      <Slider label={spec.label} min={to(spec.min)} max={to(spec.max)} step={log ? 0.05 : spec.step} value={to(value)} text={text} onChange={set} onReset={() => onChange(spec.initial)} />
    </div>
  );
}

function ChoiceField({ spec, value, onChange }: Props<ChoiceOption, string>) {
  const chosen = spec.choices.find((choice) => choice.value === value);
  const short = spec.choices.length <= MOST_SEGMENTS && spec.choices.reduce((sum, { label }) => sum + label.length, 0) <= MOST_LETTERS;
  const data = spec.choices.map(({ value: of, label }) => ({ value: of, label }));
  return (
    <div className={styles.choice} title={chosen?.says ?? spec.says}>
      <span>{spec.label}</span>
      {short ? (
        <SegmentedControl aria-label={spec.label} size="xs" fullWidth data={data} value={value} onChange={onChange} />
      ) : (
        <Select aria-label={spec.label} data={data} value={value} allowDeselect={false} onChange={(next) => next !== null && onChange(next)} />
      )}
    </div>
  );
}

/** The options `ids`, drawn from what the registry says of them. */
export function ToolOptions({ session, ids }: { session: ImageSession; ids: readonly OptionId[] }) {
  const values = useValue(session.options);
  return ids.map((id) => {
    const spec: OptionSpec = OPTIONS[id];
    const set = (value: string | number): void => session.options.set({ ...values, [id]: value });
    const value = values[id];
    if (spec.kind === "number") return <NumberField key={id} spec={spec} value={Number(value)} onChange={set} />;
    return <ChoiceField key={id} spec={spec} value={String(value)} onChange={set} />;
  });
}
