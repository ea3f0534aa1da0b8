import { type Box, boxEquals, boxHeight, boxIsEmpty, boxWidth } from "./box";
import type { BoxMask } from "./mask";
import { RleError, checkRuns, runsArea } from "./rle";

/** One cell. Frozen by convention: a change makes a new object. Field names are those of the wire. */
export interface Cell extends BoxMask {
  readonly id: string;
  /** The stable number that people see and that label images carry; never 0. */
  readonly label: number;
  readonly score: number | null;
  readonly source: "model" | "person";
  readonly model_version: string | null;
  /** The project's class that a person gave the cell, or null. */
  readonly class_id: string | null;
}

export interface CellUpdate {
  readonly before: Cell;
  readonly after: Cell;
}

/** The one change type of the house, in its wire form (`labeling/patch.py` reads and writes the same JSON). */
export interface Patch {
  readonly added: readonly Cell[];
  readonly updated: readonly CellUpdate[];
  readonly removed: readonly Cell[];
}

export class PatchError extends Error {
  override readonly name = "PatchError";
}

export const EMPTY_PATCH: Patch = { added: [], updated: [], removed: [] };

export const patchIsEmpty = (patch: Patch): boolean =>
  patch.added.length + patch.updated.length + patch.removed.length === 0;

export const cellArea = (cell: BoxMask): number => runsArea(cell.rle);

export function cellEquals(a: Cell, b: Cell): boolean {
  if (a === b) return true;
  return (
    a.id === b.id &&
    a.label === b.label &&
    a.score === b.score &&
    a.source === b.source &&
    a.model_version === b.model_version &&
    a.class_id === b.class_id &&
    boxEquals(a.box, b.box) &&
    a.rle.length === b.rle.length &&
    a.rle.every((run, index) => run === b.rle[index])
  );
}

export function invert(patch: Patch): Patch {
  return {
    added: patch.removed,
    updated: patch.updated.map(({ before, after }) => ({ before: after, after: before })),
    removed: patch.added,
  };
}

/** Ids of every cell that the patch names. */
export function patchIds(patch: Patch): string[] {
  return [...patch.added, ...patch.updated.map((update) => update.before), ...patch.removed].map((cell) => cell.id);
}

/** Throws PatchError unless `patch` fits `cells` exactly: what it changes is there as it says, what it adds is not. */
export function checkFits(cells: ReadonlyMap<string, Cell>, patch: Patch): void {
  const ids = patchIds(patch);
  if (new Set(ids).size !== ids.length) throw new PatchError("a cell is named twice in one patch");
  for (const cell of patch.added) {
    if (cells.has(cell.id)) throw new PatchError(`cell ${cell.label} is there already`);
  }
  for (const before of [...patch.removed, ...patch.updated.map((update) => update.before)]) {
    const current = cells.get(before.id);
    if (!current) throw new PatchError(`cell ${before.label} is not there`);
    if (!cellEquals(current, before)) throw new PatchError(`cell ${before.label} has changed`);
  }
}

/** `cells` after `patch`, as a new map. Throws PatchError if it does not fit. */
export function applyPatch(cells: ReadonlyMap<string, Cell>, patch: Patch): Map<string, Cell> {
  checkFits(cells, patch);
  const next = new Map(cells);
  for (const cell of patch.removed) next.delete(cell.id);
  for (const { after } of patch.updated) next.set(after.id, after);
  for (const cell of patch.added) next.set(cell.id, cell);
  return next;
}

/** One patch that does what `first` and then `second` do; what cancels out is left out. */
export function compose(first: Patch, second: Patch): Patch {
  const changes = new Map<string, { before: Cell | null; after: Cell | null }>();
  const note = (id: string, before: Cell | null, after: Cell | null): void => {
    const known = changes.get(id);
    changes.set(id, { before: known ? known.before : before, after });
  };
  for (const patch of [first, second]) {
    for (const cell of patch.removed) note(cell.id, cell, null);
    for (const { before, after } of patch.updated) note(before.id, before, after);
    for (const cell of patch.added) note(cell.id, null, cell);
  }
  const added: Cell[] = [];
  const updated: CellUpdate[] = [];
  const removed: Cell[] = [];
  for (const { before, after } of changes.values()) {
    if (before && after) {
      if (!cellEquals(before, after)) updated.push({ before, after });
    } else if (after) added.push(after);
    else if (before) removed.push(before);
  }
  return { added, updated, removed };
}

/** Throws PatchError if a cell's box, runs or label could not be drawn on a `width` x `height` image. */
export function checkCell(cell: Cell, height: number, width: number): void {
  const box: Box = cell.box;
  if (!Number.isInteger(cell.label) || cell.label < 1) throw new PatchError("a label is a whole number above 0");
  if (boxIsEmpty(box) || box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) {
    throw new PatchError(`cell ${cell.label} lies outside the image`);
  }
  try {
    checkRuns(cell.rle, boxHeight(box) * boxWidth(box));
  } catch (error) {
    if (error instanceof RleError) throw new PatchError(`cell ${cell.label}: ${error.message}`);
    throw error;
  }
  if (cellArea(cell) === 0) throw new PatchError(`cell ${cell.label} has no pixels`);
}
