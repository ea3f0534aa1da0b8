import type { CellClass } from "../../api/classes";
import { CELL_PALETTE } from "../../document/colors";

const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

const hex = (color: readonly number[]): string => `#${color.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

/** The colours that stay apart for everyone, in the house's order. */
export const CLASS_COLOURS: readonly string[] = CELL_PALETTE.map(hex);

/** Digits that no other offered class has; those of `ownId` count as free. */
export function freeKeys(classes: readonly CellClass[], ownId: string | null): number[] {
  const taken = new Set(classes.filter(({ id, archived }) => !archived && id !== ownId).map(({ key }) => key));
  return DIGITS.filter((digit) => !taken.has(digit));
}

/** The first colour of the palette that is used least. */
export function nextColour(classes: readonly CellClass[]): string {
  const used = (colour: string): number => classes.filter((cellClass) => cellClass.colour === colour).length;
  return CLASS_COLOURS.reduce((best, colour) => (used(colour) < used(best) ? colour : best));
}

/** All ids, with one of them one place further up (-1) or down (1). */
export function moved(classes: readonly CellClass[], id: string, step: 1 | -1): string[] {
  const ids = classes.map((cellClass) => cellClass.id);
  const from = ids.indexOf(id);
  const to = Math.min(ids.length - 1, Math.max(0, from + step));
  ids.splice(to, 0, ...ids.splice(from, 1));
  return ids;
}
