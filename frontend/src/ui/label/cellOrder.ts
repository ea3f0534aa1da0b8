import { type Cell, cellArea } from "../../document/patch";
import { needsCheck } from "../../document/commands";

export type Column = "label" | "area" | "score" | "class" | "source";

export interface Order {
  readonly by: Column;
  readonly up: boolean;
}

/** Which cells the list holds; null: not asked for. A class of "" stands for cells without one. */
export interface CellFilter {
  readonly find: string;
  readonly source: "model" | "person" | null;
  readonly classId: string | null;
  readonly toCheck: boolean;
}

export const NO_FILTER: CellFilter = { find: "", source: null, classId: null, toCheck: false };

/** How many of the filter's parts besides the text are on. */
export const filterCount = ({ source, classId, toCheck }: CellFilter): number => [source !== null, classId !== null, toCheck].filter(Boolean).length;

/** Names of classes by id. */
export type ClassNames = ReadonlyMap<string, string>;

export const classNameOf = (cell: Cell, names: ClassNames): string => (cell.class_id === null ? "" : (names.get(cell.class_id) ?? "Archived"));

/** Cells without a score have been seen by a person: they come last. */
const scoreOf = (cell: Cell): number => cell.score ?? 2;

const KEYS: Readonly<Record<Exclude<Column, "class">, (cell: Cell) => number>> = {
  label: (cell) => cell.label,
  area: cellArea,
  score: scoreOf,
  source: (cell) => (cell.source === "model" ? 0 : 1),
};

/** Whether the number begins with the text, or the class's name holds it. */
function isFound(cell: Cell, wanted: string, names: ClassNames): boolean {
  if (wanted === "" || String(cell.label).startsWith(wanted.replace("#", ""))) return true;
  return classNameOf(cell, names).toLowerCase().includes(wanted);
}

function passes(cell: Cell, filter: CellFilter, wanted: string, names: ClassNames): boolean {
  if (filter.source !== null && cell.source !== filter.source) return false;
  if (filter.classId !== null && (cell.class_id ?? "") !== filter.classId) return false;
  if (filter.toCheck && !needsCheck(cell)) return false;
  return isFound(cell, wanted, names);
}

/** Alphabetical, cells without a class last. */
function byClass(a: Cell, b: Cell, names: ClassNames): number {
  const [one, other] = [classNameOf(a, names), classNameOf(b, names)];
  if ((one === "") !== (other === "")) return one === "" ? 1 : -1;
  return one.localeCompare(other);
}

/** The cells that pass the filter, in order; ties by number. */
export function orderCells(cells: Iterable<Cell>, { by, up }: Order, filter: CellFilter, names: ClassNames): Cell[] {
  const wanted = filter.find.trim().toLowerCase();
  const chosen = [...cells].filter((cell) => passes(cell, filter, wanted, names));
  const sign = up ? 1 : -1;
  if (by === "class") return chosen.sort((a, b) => sign * byClass(a, b, names) || a.label - b.label);
  const keyed = chosen.map((cell) => ({ cell, key: KEYS[by](cell) }));
  return keyed.sort((a, b) => sign * (a.key - b.key) || a.cell.label - b.cell.label).map(({ cell }) => cell);
}
