/** What the saved work looks like in a plot: by version, and image by image as they were submitted. */
import type { ModelVersion, Proof, ProjectModel } from "../../api/types";
import { counted, day, percent, score } from "../format";
import { f1Of } from "./figures";

export const FIGURES = ["actions_per_cell", "seconds_per_cell", "share_untouched", "f1"] as const;
export type Figure = (typeof FIGURES)[number];

interface FigureWords {
  short: string;
  title: string;
  /** Which way is good. */
  direction: string;
  say: (value: number) => string;
  /** The axis ends here at the latest; null: where the values end. */
  limit: number | null;
}

const seconds = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;

export const FIGURE_WORDS: Readonly<Record<Figure, FigureWords>> = {
  actions_per_cell: { short: "Actions", title: "Actions per cell", direction: "lower is better", say: score, limit: null },
  seconds_per_cell: { short: "Seconds", title: "Seconds per cell", direction: "lower is better", say: seconds, limit: null },
  share_untouched: { short: "Untouched", title: "Share left untouched", direction: "higher is better", say: percent, limit: 1 },
  f1: { short: "F1", title: "F1 on held-out images", direction: "higher is better", say: score, limit: 1 },
};

export type Tone = "active" | "plain" | "rejected" | "faint";

export interface PlotPoint {
  /** Place on the axis, 0, 1, 2 ... */
  x: number;
  y: number;
  /** What a person who cannot see the plot is told, and who points at it. */
  words: string;
  tone: Tone;
}

export interface Plotted {
  points: PlotPoint[];
  /** Places that a line joins, in order. */
  line: { x: number; y: number }[];
  /** Two versions on the same images: from the one that was active to the one that was tried. */
  pairs: { x: number; from: number; to: number; isKeptOut: boolean }[];
  /** Words under the axis. */
  labels: { x: number; text: string; isStrong: boolean }[];
  /** Where another version came into use. */
  marks: { x: number; text: string }[];
  /** One row a point for those who would rather read numbers. */
  rows: string[][];
  heads: string[];
}

/** Versions that a gate or a person kept out. */
const KEPT_OUT = new Set<ModelVersion["state"]>(["rejected", "not_enough_evidence", "failed"]);

const heldOut = (images: number): string => counted(images, "held-out image");

interface TriedVersion {
  name: string;
  value: number;
  tone: Tone;
  /** What the version that was active had on the same images, where the gate measured both. */
  against: { value: number; images: number } | null;
}

function tried({ versions }: ProjectModel): TriedVersion[] {
  return [...versions]
    .sort((a, b) => a.number - b.number)
    .flatMap((version) => {
      const value = f1Of(version);
      if (value === null) return [];
      const tone: Tone = version.state === "active" ? "active" : KEPT_OUT.has(version.state) ? "rejected" : "plain";
      const { evaluation } = version;
      return [{ name: version.name, value, tone, against: evaluation && { value: evaluation.active.f1, images: evaluation.images } }];
    });
}

/** No line joins the versions: each run measures on the images that are held out by then, and F1 on others says nothing of a version. */
function f1ByVersion(model: ProjectModel): Plotted {
  const { say, title } = FIGURE_WORDS.f1;
  const shown = tried(model);
  return {
    points: shown.map(({ name, value, tone, against }, x) => ({
      x,
      y: value,
      tone,
      words: `${name}: ${say(value)}, ${against ? `the version active then had ${say(against.value)} on the same ${heldOut(against.images)}` : "not measured here"}`,
    })),
    line: [],
    pairs: shown.flatMap(({ value, tone, against }, x) => (against ? [{ x, from: against.value, to: value, isKeptOut: tone === "rejected" }] : [])),
    labels: shown.map(({ name, tone }, x) => ({ x, text: name, isStrong: tone === "active" })),
    marks: [],
    heads: ["Version", title, "Active then", "Measured on"],
    rows: shown.map(({ name, value, against }) => [name, say(value), score(against?.value), against ? heldOut(against.images) : "not here"]),
  };
}

interface WorkedVersion {
  name: string;
  value: number;
  tone: Tone;
  about: string;
}

function worked({ versions, active, proof }: ProjectModel, figure: Exclude<Figure, "f1">): WorkedVersion[] {
  const numbers = new Map(versions.map((version) => [version.id, version.number]));
  // Drawn by hand comes first: it is what every version is measured against.
  const order = (version: string | null): number => (version === null ? -1 : (numbers.get(version) ?? Infinity));
  return [...proof.versions]
    .sort((a, b) => order(a.version) - order(b.version))
    .flatMap((entry) => {
      const value = entry[figure];
      if (value === null) return [];
      const tone: Tone = entry.version === null ? "faint" : entry.version === active?.id ? "active" : "plain";
      return [{ name: entry.name, value, tone, about: `${entry.cells} cells in ${entry.images === 1 ? "1 image" : `${entry.images} images`}` }];
    });
}

function workByVersion(model: ProjectModel, figure: Exclude<Figure, "f1">): Plotted {
  const { say, title } = FIGURE_WORDS[figure];
  const shown = worked(model, figure);
  const points = shown.map(({ name, value, tone, about }, x) => ({ x, y: value, tone, words: `${name}: ${say(value)}, ${about}` }));
  return {
    points,
    line: points,
    pairs: [],
    labels: shown.map(({ name, tone }, x) => ({ x, text: name, isStrong: tone === "active" })),
    marks: [],
    heads: ["Version", title, "Measured"],
    rows: shown.map(({ name, value, about }) => [name, say(value), about]),
  };
}

export function byVersion(model: ProjectModel, figure: Figure): Plotted {
  return figure === "f1" ? f1ByVersion(model) : workByVersion(model, figure);
}

/** Images that the line is drawn through at once: one alone says little. */
export const AROUND = 5;

type WorkPoint = Proof["points"][number];

/** The figure over the last few images, each weighted by its cells. */
function smoothed(points: readonly { cells: number; value: number }[], at: number): number {
  const last = points.slice(Math.max(0, at + 1 - AROUND), at + 1);
  const cells = last.reduce((sum, point) => sum + point.cells, 0);
  return cells === 0 ? points[at].value : last.reduce((sum, point) => sum + point.value * point.cells, 0) / cells;
}

function workOverTime({ proof, versions }: ProjectModel, figure: Exclude<Figure, "f1">): Plotted {
  const { say, title } = FIGURE_WORDS[figure];
  const nameOf = ({ version }: WorkPoint): string => versions.find(({ id }) => id === version)?.name ?? "by hand";
  const shown = proof.points.flatMap((point) => {
    const value = point[figure];
    return value === null ? [] : [{ ...point, value, by: nameOf(point) }];
  });
  return {
    points: shown.map(({ name, value, by, cells, at }, x) => ({
      x,
      y: value,
      tone: "faint",
      words: `${name}, ${day(at)}: ${say(value)} on ${cells === 1 ? "1 cell" : `${cells} cells`}, ${by}`,
    })),
    line: shown.map((_, x) => ({ x, y: smoothed(shown, x) })),
    pairs: [],
    labels: shown.map(({ at }, x) => ({ x, text: day(at), isStrong: false })),
    marks: shown.flatMap(({ by }, x) => (by === shown.at(x - 1)?.by && x > 0 ? [] : [{ x: Math.max(0, x - 0.5), text: by }])),
    heads: ["Image", "Submitted", "Version", "Cells", title],
    rows: shown.map(({ name, at, by, cells, value }) => [name, day(at), by, String(cells), say(value)]),
  };
}

function f1OverTime({ proof }: ProjectModel): Plotted {
  const { say, title } = FIGURE_WORDS.f1;
  const shown = proof.f1.map((run) => ({ ...run, isKeptOut: run.decision !== "promoted", outcome: run.decision.replaceAll("_", " ") }));
  return {
    points: shown.map(({ name, candidate, active, isKeptOut, outcome, images, at }, x) => ({
      x,
      y: candidate,
      tone: isKeptOut ? "rejected" : "plain",
      words: `${name}, ${day(at)}: ${say(candidate)}, the version active then had ${say(active)} on the same ${heldOut(images)}, ${outcome}`,
    })),
    line: [],
    pairs: shown.map(({ active, candidate, isKeptOut }, x) => ({ x, from: active, to: candidate, isKeptOut })),
    labels: shown.map(({ at }, x) => ({ x, text: day(at), isStrong: false })),
    marks: [],
    heads: ["Run", "Version", title, "Active then", "Measured on", "Decision"],
    rows: shown.map(({ at, name, candidate, active, images, outcome }) => [day(at), name, say(candidate), say(active), heldOut(images), outcome]),
  };
}

export function overTime(model: ProjectModel, figure: Figure): Plotted {
  return figure === "f1" ? f1OverTime(model) : workOverTime(model, figure);
}
