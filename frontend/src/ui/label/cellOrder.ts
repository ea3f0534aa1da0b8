import { type Cell, cellArea } from "../../document/patch";

export type Column = "label" | "area" | "score" | "source";

export interface Order {
  readonly by: Column;
  readonly up: boolean;
}

/** Cells without a score have been seen by a person: they come last. */
const scoreOf = (cell: Cell): number => cell.score ?? 2;

const KEYS: Readonly<Record<Column, (cell: Cell) => number>> = {
  label: (cell) => cell.label,
  area: cellArea,
  score: scoreOf,
  source: (cell) => (cell.source === "model" ? 0 : 1),
};

/** The cells whose number begins with `find`, in order; ties by number. */
export function orderCells(cells: Iterable<Cell>, { by, up }: Order, find: string): Cell[] {
  const wanted = find.replace("#", "").trim();
  const keyed = [...cells].filter((cell) => String(cell.label).startsWith(wanted)).map((cell) => ({ cell, key: KEYS[by](cell) }));
  const sign = up ? 1 : -1;
  return keyed.sort((a, b) => sign * (a.key - b.key) || a.cell.label - b.cell.label).map(({ cell }) => cell);
}
