import { type Box, boxUnion } from "./box";
import { FIRST_CELL_SLOT, type LabelMap, createLabelMap } from "./labelMap";
import { maskHolds } from "./mask";
import { type Cell, type Patch, checkCell, checkFits, patchIsEmpty } from "./patch";
import { createSpatialIndex } from "./spatialIndex";

/** Who made a change: this page, or the server (loaded, or made by somebody else). */
export type Origin = "local" | "server";

export interface ChangeSet {
  readonly origin: Origin;
  readonly patch: Patch;
  /** Boxes whose pixels may look different now. */
  readonly dirty: readonly Box[];
}

/** What tools and the renderer may see of a document. */
export interface DocumentReader {
  readonly width: number;
  readonly height: number;
  readonly size: number;
  readonly labels: LabelMap;
  get(id: string): Cell | undefined;
  cells(): IterableIterator<Cell>;
  /** Cells whose box touches `box`, lowest first: where cells overlap, the higher label lies on top. */
  near(box: Box): Cell[];
  /** Cells at an image pixel, topmost first. */
  at(x: number, y: number): Cell[];
  slotOf(id: string): number;
  bySlot(slot: number): Cell | undefined;
  nextLabel(): number;
  listen(listener: (change: ChangeSet) => void): () => void;
}

export interface CellStore extends DocumentReader {
  /** All of the patch or, with a PatchError, none of it. */
  apply(patch: Patch, origin: Origin): ChangeSet;
  /** The server's count of labels given so far, which a deleted cell's label stays part of. */
  reserveLabels(next: number): void;
}

function dirtyBoxes(patch: Patch): Box[] {
  return [
    ...patch.removed.map((cell) => cell.box),
    ...patch.updated.map(({ before, after }) => boxUnion(before.box, after.box)),
    ...patch.added.map((cell) => cell.box),
  ];
}

export function createStore(width: number, height: number): CellStore {
  const cells = new Map<string, Cell>();
  const slots = new Map<string, number>();
  const ids: string[] = [];
  const index = createSpatialIndex();
  const listeners = new Set<(change: ChangeSet) => void>();
  let next = 1;

  const near = (box: Box): Cell[] =>
    index
      .query(box)
      .flatMap((id) => cells.get(id) ?? [])
      .sort((a, b) => a.label - b.label);
  /** A cell keeps its slot for life, so that undoing a deletion brings back the same look. */
  const slotOf = (id: string): number => {
    const known = slots.get(id);
    if (known !== undefined) return known;
    const slot = FIRST_CELL_SLOT + ids.length;
    slots.set(id, slot);
    ids.push(id);
    return slot;
  };
  const labels = createLabelMap(width, height, (box) => near(box).map((mask) => ({ slot: slotOf(mask.id), mask })));

  const put = (cell: Cell): void => {
    cells.set(cell.id, cell);
    slotOf(cell.id);
    index.insert(cell.id, cell.box);
    next = Math.max(next, cell.label + 1);
  };

  return {
    width,
    height,
    labels,
    near,
    slotOf,
    get size() {
      return cells.size;
    },
    get: (id) => cells.get(id),
    cells: () => cells.values(),
    at: (x, y) =>
      near([x, y, x + 1, y + 1])
        .filter((cell) => maskHolds(cell, x, y))
        .reverse(),
    bySlot(slot) {
      const id = ids[slot - FIRST_CELL_SLOT];
      return id === undefined ? undefined : cells.get(id);
    },
    nextLabel: () => next,
    reserveLabels(label) {
      next = Math.max(next, label);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    apply(patch, origin) {
      checkFits(cells, patch);
      for (const cell of [...patch.added, ...patch.updated.map((update) => update.after)]) {
        checkCell(cell, height, width);
      }
      for (const cell of patch.removed) {
        cells.delete(cell.id);
        index.remove(cell.id);
      }
      for (const { after } of patch.updated) put(after);
      for (const cell of patch.added) put(cell);
      const change: ChangeSet = { origin, patch, dirty: dirtyBoxes(patch) };
      // The first load names every cell: painting tiles lazily beats repainting each box of them.
      if (change.dirty.length > 1000) labels.clear();
      else for (const box of change.dirty) labels.repaint(box);
      if (!patchIsEmpty(patch)) for (const listener of [...listeners]) listener(change);
      return change;
    },
  };
}
