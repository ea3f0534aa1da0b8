import { CELL_PALETTE, type CellColors } from "../document/colors";
import { needsCheck } from "../document/commands";
import type { Cell } from "../document/patch";

export type Rgb = readonly [number, number, number];

/** What a cell's colour tells. */
export const COLOR_BY = ["id", "class", "source", "score", "edited"] as const;
export type ColorBy = (typeof COLOR_BY)[number];

const NONE: Rgb = [0x9a, 0xa4, 0xae];
const AMBER: Rgb = [0xff, 0xb7, 0x2e];
const MODEL: Rgb = [0x6c, 0x9c, 0xff];
const PERSON: Rgb = [0x3f, 0xe0, 0xb5];
const CHANGED: Rgb = [0xf5, 0x82, 0x4a];
/** From no trust to full trust; lightness rises all the way, so the order survives colour blindness. */
const SCORES: readonly Rgb[] = [
  [0xc2, 0x3b, 0x6e],
  [0xf0, 0x78, 0x3c],
  [0xf5, 0xc2, 0x42],
  [0xf7, 0xf7, 0xa8],
];

/** Colours by the label number alone, for the frames of a series: a cell keeps its colour from frame to frame. */
export const COLORS_BY_LABEL: CellColors = { of: (cell) => cell.label % CELL_PALETTE.length };

function scoreTone(score: number | null): Rgb {
  if (score === null) return NONE;
  const at = Math.min(1, Math.max(0, score)) * (SCORES.length - 1);
  const below = Math.min(SCORES.length - 2, Math.floor(at));
  const mix = (part: 0 | 1 | 2): number => Math.round(SCORES[below][part] + (SCORES[below + 1][part] - SCORES[below][part]) * (at - below));
  return [mix(0), mix(1), mix(2)];
}

/** A person drew it, or changed what the model drew; the model's own cells stay in the background. */
function editTone(cell: Cell): Rgb {
  if (cell.source === "model") return NONE;
  return cell.model_version === null ? PERSON : CHANGED;
}

/**
 * The rule that gives each cell its colour. `classTone` names a class's colour in the project (null: none); cells to check
 * are amber when colours tell identities, as everywhere on the page.
 */
export function tonesBy(by: ColorBy, colors: CellColors, classTone: (classId: string) => Rgb | null): (cell: Cell) => Rgb {
  switch (by) {
    case "id":
      return (cell) => (needsCheck(cell) ? AMBER : CELL_PALETTE[colors.of(cell)]);
    case "class":
      return (cell) => (cell.class_id === null ? NONE : (classTone(cell.class_id) ?? NONE));
    case "source":
      return (cell) => (cell.source === "person" ? PERSON : MODEL);
    case "score":
      return (cell) => scoreTone(cell.score);
    case "edited":
      return editTone;
  }
}
