/** The figures of a run's evaluation, a version's metrics and a loss curve, as the page draws them. */
import type { Evaluation } from "../../api/types";

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

type GateChange = NonNullable<Evaluation["gate"]["f1"]>;

function gated(name: string, { active, candidate, low, high }: GateChange): Change {
  return { name, before: active, after: candidate, low, high, isLowerBetter: false };
}

function plain(name: string, before: number, after: number, isLowerBetter = false): Change {
  return { name, before, after, low: null, high: null, isLowerBetter };
}

/** Every figure of both models, the gate's own first. Nothing without an image to measure on. */
export function changesOf(evaluation: Evaluation | null): Change[] {
  if (evaluation === null || evaluation.images === 0) return [];
  const { active, candidate, gate } = evaluation;
  const groups = Object.entries(gate.groups);
  return [
    gate.f1 ? gated("F1", gate.f1) : plain("F1", active.f1, candidate.f1),
    gate.miou ? gated("Mean IoU, true boxes", gate.miou) : plain("Mean IoU, true boxes", active.miou, candidate.miou),
    ...(groups.length > 1 ? groups.map(([name, change]) => gated(`F1, ${name}`, change)) : []),
    plain("Precision", active.precision, candidate.precision),
    plain("Recall", active.recall, candidate.recall),
    plain("Count error", active.count_error, candidate.count_error, true),
  ];
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
