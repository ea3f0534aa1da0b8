/** What the saved work looks like in a plot: by version, and image by image as they were submitted. */
import type { ModelVersion, Proof, ProjectModel } from "../../api/types";
import { day, percent, score } from "../format";
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
  /** A second, quiet line: what a version that is not used was compared with. */
  dashed: { x: number; y: number }[][];
  /** Words under the axis. */
  labels: { x: number; text: string; isStrong: boolean }[];
  /** Where another version came into use. */
  marks: { x: number; text: string }[];
  /** One row a point for those who would rather read numbers. */
  rows: string[][];
  heads: string[];
}

const NOTHING: Plotted = { points: [], line: [], dashed: [], labels: [], marks: [], rows: [], heads: [] };

/** Versions that a gate or a person kept out. */
const KEPT_OUT = new Set<ModelVersion["state"]>(["rejected", "not_enough_evidence", "failed"]);

interface VersionPlace {
  name: string;
  value: number;
  tone: Tone;
  about: string;
}

function f1Places({ versions }: ProjectModel): VersionPlace[] {
  return [...versions]
    .sort((a, b) => a.number - b.number)
    .flatMap((version) => {
      const value = f1Of(version);
      if (value === null) return [];
      const tone: Tone = version.state === "active" ? "active" : KEPT_OUT.has(version.state) ? "rejected" : "plain";
      const images = version.evaluation ? `on ${version.evaluation.images} held-out images` : "on held-out images";
      return [{ name: version.name, value, tone, about: images }];
    });
}

function workPlaces({ versions, active, proof }: ProjectModel, figure: Exclude<Figure, "f1">): VersionPlace[] {
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

export function byVersion(model: ProjectModel, figure: Figure): Plotted {
  const places = figure === "f1" ? f1Places(model) : workPlaces(model, figure);
  if (places.length === 0) return NOTHING;
  const { say, title } = FIGURE_WORDS[figure];
  const points = places.map(({ name, value, tone, about }, x) => ({ x, y: value, tone, words: `${name}: ${say(value)}, ${about}` }));
  const line = points.filter(({ tone }) => tone !== "rejected");
  const dashed = points.flatMap((point) => {
    const from = line.filter(({ x }) => x < point.x).at(-1);
    return point.tone === "rejected" && from ? [[from, point]] : [];
  });
  return {
    points,
    line,
    dashed,
    labels: places.map(({ name, tone }, x) => ({ x, text: name, isStrong: tone === "active" })),
    marks: [],
    heads: ["Version", title, "Measured"],
    rows: places.map(({ name, value, about }) => [name, say(value), about]),
  };
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
    dashed: [],
    labels: shown.map(({ at }, x) => ({ x, text: day(at), isStrong: false })),
    marks: shown.flatMap(({ by }, x) => (by === shown.at(x - 1)?.by && x > 0 ? [] : [{ x: Math.max(0, x - 0.5), text: by }])),
    heads: ["Image", "Submitted", "Version", "Cells", title],
    rows: shown.map(({ name, at, by, cells, value }) => [name, day(at), by, String(cells), say(value)]),
  };
}

function f1OverTime({ proof }: ProjectModel): Plotted {
  const { say, title } = FIGURE_WORDS.f1;
  const shown = proof.f1;
  return {
    points: shown.map(({ name, candidate, active, decision, images, at }, x) => ({
      x,
      y: candidate,
      tone: decision === "promoted" ? "plain" : "rejected",
      words: `${name}, ${day(at)}: ${say(candidate)}, the active version had ${say(active)}, ${images} held-out images, ${decision.replaceAll("_", " ")}`,
    })),
    // What was in use after each run.
    line: shown.map(({ active, candidate, decision }, x) => ({ x, y: decision === "promoted" ? candidate : active })),
    dashed: [],
    labels: shown.map(({ at }, x) => ({ x, text: day(at), isStrong: false })),
    marks: [],
    heads: ["Run", "Version", title, "Active version", "Decision"],
    rows: shown.map(({ at, name, candidate, active, decision }) => [day(at), name, say(candidate), say(active), decision.replaceAll("_", " ")]),
  };
}

export function overTime(model: ProjectModel, figure: Figure): Plotted {
  return figure === "f1" ? f1OverTime(model) : workOverTime(model, figure);
}
