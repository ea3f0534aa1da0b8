/** The figures of a run's evaluation, a version's metrics and a loss curve, as the page draws them. */
import type { Evaluation, ModelVersion } from "../../api/types";

export interface Figures {
  f1: number | null;
  precision: number | null;
  recall: number | null;
  miou: number | null;
  countError: number | null;
}

/** One figure before and after; low and high bound the change (95%), where the gate measured it. */
export interface Change {
  name: string;
  before: number;
  after: number;
  low: number | null;
  high: number | null;
  isLowerBetter: boolean;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A version's metrics are open JSON (an imported version may carry anything), so each is checked. */
export function figuresOf(metrics: unknown): Figures {
  const from = record(metrics);
  return {
    f1: number(from.f1),
    precision: number(from.precision),
    recall: number(from.recall),
    miou: number(from.miou),
    countError: number(from.count_error),
  };
}

/** F1 on held-out images: measured by the gate, or carried along by a version that was trained elsewhere. Null: on no image. */
export function f1Of({ evaluation, metrics }: Pick<ModelVersion, "evaluation" | "metrics">): number | null {
  const images = evaluation ? evaluation.images : record(metrics).images;
  if (images === 0) return null;
  return evaluation ? evaluation.candidate.f1 : figuresOf(metrics).f1;
}

type GateChange = NonNullable<Evaluation["gate"]["f1"]>;
type Measured = Evaluation["active"];

/** Names of the figures and how to read them from one model's column. */
const ROWS: readonly { name: string; of: (figures: Measured) => number | null; gated?: "f1" | "ap50" | "miou" | "count_error"; isLowerBetter?: boolean }[] = [
  { name: "F1", of: ({ f1 }) => f1, gated: "f1" },
  { name: "AP50", of: ({ ap50 }) => ap50, gated: "ap50" },
  { name: "Mean IoU, true boxes", of: ({ miou }) => miou, gated: "miou" },
  { name: "Count error", of: ({ count_error: error }) => error, gated: "count_error", isLowerBetter: true },
  { name: "Precision", of: ({ precision }) => precision },
  { name: "Recall", of: ({ recall }) => recall },
  { name: "Mended cells found", of: ({ touched_found: found, touched_cells: cells }) => (found === null || !cells ? null : found / cells) },
];

function gated(name: string, { active, candidate, low, high }: GateChange, isLowerBetter = false): Change {
  return { name, before: active, after: candidate, low, high, isLowerBetter };
}

/** Every figure of both models side by side, the gate's own first. What one of them lacks is left out. */
export function changesOf(evaluation: Evaluation | null): Change[] {
  if (evaluation === null || evaluation.images === 0) return [];
  const { active, candidate, gate } = evaluation;
  return ROWS.flatMap(({ name, of, gated: key, isLowerBetter = false }) => {
    const judged = key && gate[key];
    if (judged) return [gated(name, judged, isLowerBetter)];
    const [before, after] = [of(active), of(candidate)];
    return before === null || after === null ? [] : [{ name, before, after, low: null, high: null, isLowerBetter }];
  });
}

/** F1 of all images and, where there are several, of each group of images; what the plot shows. */
export function groupsOf(evaluation: Evaluation | null): Change[] {
  if (evaluation === null || evaluation.images === 0) return [];
  const { active, candidate, gate } = evaluation;
  const all = gate.f1 ? gated("All images", gate.f1) : { name: "All images", before: active.f1, after: candidate.f1, low: null, high: null, isLowerBetter: false };
  const groups = Object.entries(gate.groups);
  return [all, ...(groups.length > 1 ? groups.map(([name, change]) => gated(name, change)) : [])];
}

/** The loss after each step of a run, whatever the worker called it; empty when it reported none. */
export function lossesOf(curve: unknown): number[] {
  if (!Array.isArray(curve)) return [];
  const losses = curve.map((entry: unknown) => {
    if (typeof entry === "number") return number(entry);
    const from = record(entry);
    return number(from.loss) ?? number(from.train_loss) ?? number(from.training_loss);
  });
  return losses.filter((loss) => loss !== null);
}
