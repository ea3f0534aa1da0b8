import type { Box } from "./box";
import { type Cell, type CellUpdate, type Patch, cellEquals } from "./patch";
import { createSpatialIndex } from "./spatialIndex";

/** What a command needs to see of a document: a store, or a draft of one. */
export interface CellsView {
  readonly width: number;
  readonly height: number;
  get(id: string): Cell | undefined;
  /** Cells whose box touches `box`, lowest label first. Costs those cells, not the others. */
  near(box: Box): Cell[];
  nextLabel(): number;
}

/** A document as it would be after some patches, of which nobody else knows: several commands become one patch. */
export interface Draft extends CellsView {
  readonly patch: Patch;
  /** Costs the cells that `patch` names. */
  apply(patch: Patch): void;
}

export function createDraft(document: CellsView): Draft {
  const changes = new Map<string, { before: Cell | null; after: Cell | null }>();
  const changedNear = createSpatialIndex();
  let next = document.nextLabel();

  const note = (id: string, before: Cell | null, after: Cell | null): void => {
    changes.set(id, { before: changes.has(id) ? (changes.get(id)?.before ?? null) : before, after });
    if (after) {
      changedNear.insert(id, after.box);
      next = Math.max(next, after.label + 1);
    } else changedNear.remove(id);
  };

  return {
    width: document.width,
    height: document.height,
    nextLabel: () => next,
    get: (id) => (changes.has(id) ? (changes.get(id)?.after ?? undefined) : document.get(id)),
    near(box) {
      const unchanged = document.near(box).filter((cell) => !changes.has(cell.id));
      const changed = changedNear.query(box).flatMap((id) => changes.get(id)?.after ?? []);
      return [...unchanged, ...changed].sort((a, b) => a.label - b.label);
    },
    get patch() {
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
    },
    apply({ added, updated, removed }) {
      for (const cell of removed) note(cell.id, cell, null);
      for (const { before, after } of updated) note(before.id, before, after);
      for (const cell of added) note(cell.id, null, cell);
    },
  };
}

/** One patch for a command done to each of `ids` in turn, each seeing what the ones before it did. */
export function forEachCell(document: CellsView, ids: Iterable<string>, change: (draft: CellsView, cell: Cell) => Patch): Patch {
  const draft = createDraft(document);
  for (const id of new Set(ids)) {
    const cell = draft.get(id);
    if (cell) draft.apply(change(draft, cell));
  }
  return draft.patch;
}
