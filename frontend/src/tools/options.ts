import type { OverlapPolicy } from "../document/overlap";

/** What people can set about tools, as data: the options card is drawn from it. Several tools may share an option. */

export interface NumberOption {
  readonly kind: "number";
  readonly label: string;
  readonly says: string;
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly unit: string;
  /** The slider runs over the logarithm: for sizes, where a pixel more matters less the larger they are. */
  readonly scale: "linear" | "log";
}

export interface ChoiceOption<Value extends string = string> {
  readonly kind: "choice";
  readonly label: string;
  readonly says: string;
  readonly initial: Value;
  readonly choices: readonly { readonly value: Value; readonly label: string; readonly says: string }[];
}

export type OptionSpec = NumberOption | ChoiceOption;

const number = (label: string, initial: number, [min, max, step]: readonly [number, number, number], unit: string, says: string): NumberOption => ({
  kind: "number",
  label,
  says,
  initial,
  min,
  max,
  step,
  unit,
  scale: max / Math.max(min, step) >= 100 ? "log" : "linear",
});

/** The first choice is the one that a new user has. */
const choice = <Value extends string>(label: string, says: string, choices: readonly (readonly [Value, string, string])[]): ChoiceOption<Value> => ({
  kind: "choice",
  label,
  says,
  initial: choices[0][0],
  choices: choices.map(([value, name, does]) => ({ value, label: name, says: does })),
});

export const OPTIONS = {
  radius: number("Size", 6, [0.5, 100, 0.5], "px", "Radius of the brush and the eraser, in image pixels."),
  overlap: choice<OverlapPolicy>("Overlap", "What happens where other cells are already.", [
    ["exclude", "Exclude", "Pixels of other cells stay theirs."],
    ["overwrite", "Overwrite", "Other cells lose the pixels."],
    ["overlap", "Overlap", "The pixels belong to both."],
  ]),
  paintsInto: choice<"auto" | "new">("Paints into", "Which cell a stroke belongs to.", [
    ["auto", "Selected or under it", "The selected cell, else the one where the stroke begins, else a new one."],
    ["new", "A new cell", "Each stroke is a cell of its own."],
  ]),
  drawsInto: choice<"new" | "selected">("Draws", "Whether a shape becomes a cell or joins one.", [
    ["new", "A new cell", "Each shape is a cell of its own."],
    ["selected", "Into the selected cell", "The shape is added to the selected cell; without one it is a new cell."],
  ]),
  floodBy: choice<"labels" | "intensity">("Fills", "What holds the flood back.", [
    ["labels", "Up to cell borders", "Fills a gap that cells enclose, or the cell that is clicked."],
    ["intensity", "Similar brightness", "Fills what is about as bright as the clicked pixel."],
  ]),
  tolerance: number("Tolerance", 15, [1, 100, 1], "%", "How much brightness may differ, as a share of the range around the click."),
  connectivity: choice<"4" | "8">("Spreads", "Which pixels hang together.", [
    ["4", "Along edges", "Pixels that share an edge."],
    ["8", "Over corners too", "Pixels that share an edge or a corner."],
  ]),
  reach: number("Reach", 128, [16, 512, 16], "px", "How far from the click a flood may go."),
  side: choice<"bright" | "dark">("Cells are", "Which side of the threshold is cell.", [
    ["bright", "Bright", "Brighter than their surroundings."],
    ["dark", "Dark", "Darker than their surroundings."],
  ]),
  pieces: choice<"largest" | "each" | "together">("Keeps", "What becomes of separate pieces.", [
    ["largest", "The largest piece", "One cell, from the largest piece."],
    ["each", "Each piece", "A cell of its own for each piece."],
    ["together", "All as one", "One cell of all pieces."],
  ]),
  minArea: number("At least", 20, [1, 1000, 1], "px", "Pieces with fewer pixels are dropped."),
  smallerThan: number("Smaller than", 20, [1, 1000, 1], "px", "Cells with fewer pixels are removed."),
  steps: number("By", 1, [1, 20, 1], "px", "How far cells grow or shrink."),
  margin: number("Within", 1, [1, 50, 1], "px", "How near to the image's edge a cell has to come."),
  iterations: number("Steps", 100, [5, 500, 5], "", "How long the outline may move; it stops by itself when nothing changes."),
  smoothing: number("Smoothing", 1, [0, 4, 1], "", "How smooth the outline becomes."),
  splitBy: choice<"shape" | "intensity">("Splits at", "What parts the two halves.", [
    ["shape", "The waist", "Where the cell is thinnest between the two clicks."],
    ["intensity", "The dark line", "Where it is darkest between the two clicks."],
  ]),
} as const satisfies Readonly<Record<string, OptionSpec>>;

export type OptionId = keyof typeof OPTIONS;

export type OptionValues = {
  readonly [Id in OptionId]: (typeof OPTIONS)[Id] extends ChoiceOption<infer Value> ? Value : number;
};

function isAllowed(spec: OptionSpec, value: unknown): boolean {
  if (spec.kind === "choice") return spec.choices.some((choiceOf) => choiceOf.value === value);
  return typeof value === "number" && value >= spec.min && value <= spec.max;
}

/** All options from what was stored once: nonsense and what is missing falls back to what a new user has. */
export function optionsFrom(stored: unknown): OptionValues {
  const known = typeof stored === "object" && stored !== null ? (stored as Readonly<Record<string, unknown>>) : {};
  const values = Object.entries<OptionSpec>(OPTIONS).map(([id, spec]) => [id, isAllowed(spec, known[id]) ? known[id] : spec.initial]);
  return Object.fromEntries(values) as OptionValues;
}

export const FIRST_OPTIONS: OptionValues = optionsFrom(null);
