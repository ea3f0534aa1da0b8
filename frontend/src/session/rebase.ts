import { type Cell, type CellUpdate, EMPTY_PATCH, type Patch, cellEquals, compose, invert, patchIds, patchIsEmpty } from "../document/patch";
import type { CellStore } from "../document/store";

/** Two people's changes met on one cell: what came of it. */
export interface Meeting {
  readonly words: string;
  /** What of ours is not in the document now; null when both shapes are. */
  readonly lost: Patch | null;
}

/** What a cell of ours is called now. */
interface NewName {
  readonly id: string;
  readonly label: number;
  /** Only where our changes call it by this label: before that, its label was another one for everybody. */
  readonly insteadOf?: number;
}

export interface Rebased {
  readonly patches: readonly Patch[];
  /** Empty when nothing met. */
  readonly meetings: readonly Meeting[];
  /** Cells of ours that go on under another id or label. */
  readonly renamed: ReadonlyMap<string, NewName>;
}

const changesLabels = (patch: Patch): number[] => [...patch.added, ...patch.removed].map((cell) => cell.label);

function disjoint(ours: readonly Patch[], theirs: readonly Patch[]): boolean {
  const ids = new Set(ours.flatMap(patchIds));
  const labels = new Set(ours.flatMap(changesLabels));
  return !theirs.some((patch) => patchIds(patch).some((id) => ids.has(id)) || changesLabels(patch).some((label) => labels.has(label)));
}

/** The patch in today's names; an update that says nothing in them is left out. */
export function renameCells(patch: Patch, renamed: Rebased["renamed"]): Patch {
  const rename = (cell: Cell): Cell => {
    const name = renamed.get(cell.id);
    if (!name || (name.insteadOf !== undefined && name.insteadOf !== cell.label)) return cell;
    return { ...cell, id: name.id, label: name.label };
  };
  return {
    added: patch.added.map(rename),
    updated: patch.updated.map(({ before, after }) => ({ before: rename(before), after: rename(after) })).filter(({ before, after }) => !cellEquals(before, after)),
    removed: patch.removed.map(rename),
  };
}

const changesLabel = ({ before, after }: CellUpdate): boolean => before.label !== after.label;

/** Whether each of these cells can have its new label: it is free, or one of them gives it up. */
function labelsFit(relabelled: readonly CellUpdate[], taken: ReadonlySet<number>): boolean {
  const given = new Set(relabelled.map(({ before }) => before.label));
  return relabelled.every(({ after }) => given.has(after.label) || !taken.has(after.label));
}

/**
 * Puts the server's newer changes (`theirs`) under ours, which the document shows already. Where both changed the same cell,
 * both shapes are kept: theirs under the old number, ours as a new cell. Leaves the document with both applied.
 */
export function rebase(store: CellStore, ours: readonly Patch[], theirs: readonly Patch[], newId: () => string): Rebased {
  if (disjoint(ours, theirs)) {
    for (const patch of theirs) store.apply(patch, "server");
    return { patches: ours, meetings: [], renamed: new Map() };
  }
  for (const patch of [...ours].reverse()) store.apply(invert(patch), "server");
  for (const patch of theirs) store.apply(patch, "server");
  return reapply(store, ours, newId);
}

/** A merge, a split or a replacement moves pixels from cell to cell: half of it would leave them twice, or nowhere. */
const isWhole = ({ added, updated, removed }: Patch): boolean => [added, updated, removed].filter((part) => part.length > 0).length > 1;

/** The parts of a patch that mean something alone. */
function partsOf(patch: Patch): Patch[] {
  if (isWhole(patch)) return [patch];
  return [
    ...patch.added.map((cell) => ({ ...EMPTY_PATCH, added: [cell] })),
    ...patch.updated.map((update) => ({ ...EMPTY_PATCH, updated: [update] })),
    ...patch.removed.map((cell) => ({ ...EMPTY_PATCH, removed: [cell] })),
  ];
}

/** What of ours waits outside the document, with all that we did on top of it since. */
function createAside(meetings: Meeting[]) {
  const waiting = new Map<string, { words: string; lost: Patch }>();
  const put = (words: string, lost: Patch): void => {
    const meeting = { words, lost };
    meetings.push(meeting);
    for (const id of patchIds(lost)) waiting.set(id, meeting);
  };
  /** What of `patch` rests on nothing that waits; the rest is added to that. */
  const absorb = (patch: Patch): Patch => {
    if (waiting.size === 0) return patch;
    let free = EMPTY_PATCH;
    for (const part of partsOf(patch)) {
      const ids = patchIds(part);
      const meeting = ids.map((id) => waiting.get(id)).find((known) => known !== undefined);
      if (!meeting) free = compose(free, part);
      else {
        meeting.lost = compose(meeting.lost, part);
        for (const id of ids) waiting.set(id, meeting);
        // Undone again: there is nothing left to decide, and what comes next is done to the cells as they are.
        if (patchIsEmpty(meeting.lost)) for (const [id, known] of waiting) if (known === meeting) waiting.delete(id);
      }
    }
    return free;
  };
  return { put, absorb };
}

/** "cell 3", "cells 3 and 5", "7 other cells" */
function cellsIn(labels: readonly number[]): string {
  if (labels.length > 4) return `${labels.length} other cells`;
  return labels.length === 1 ? `cell ${labels[0]}` : `cells ${labels.slice(0, -1).join(", ")} and ${labels[labels.length - 1]}`;
}

/** Puts our changes, made on an older revision, on top of what the document holds now. */
export function reapply(store: CellStore, ours: readonly Patch[], newId: () => string): Rebased {
  const meetings: Meeting[] = [];
  const bothKept = (words: string): number => meetings.push({ words, lost: null });
  const renamed = new Map<string, NewName>();
  const labels = new Set([...store.cells()].map((cell) => cell.label));
  const patches: Patch[] = [];

  const aside = createAside(meetings);

  const isThere = (cell: Cell): boolean => {
    const current = store.get(cell.id);
    return current !== undefined && cellEquals(current, cell);
  };
  const isAsBefore = ({ before }: CellUpdate): boolean => isThere(before);
  /** Whether the patch has to stay out because one of its cells is not what it was. */
  const keepWhole = (patch: Patch): boolean => {
    if (!isWhole(patch)) return false;
    const touched = [...patch.updated.map(({ before }) => before), ...patch.removed];
    const met = touched.find((cell) => !isThere(cell)) ?? (labelsFit(patch.updated.filter(changesLabel), labels) ? undefined : touched[0]);
    if (!met) return false;
    const others = [...touched, ...patch.added].filter((cell) => cell !== met).map((cell) => cell.label);
    const did = store.get(met.id) ? "changed" : "deleted";
    aside.put(`Someone else ${did} cell ${met.label} while you changed it together with ${cellsIn(others)}. Theirs stays, and yours waits as a whole.`, patch);
    return true;
  };
  /** Numbers are exchanged all together or not at all: half of an exchange would give one number to two cells. */
  const keepLabels = (relabelled: readonly CellUpdate[]): void => {
    const other = relabelled.find((update) => !isAsBefore(update)) ?? relabelled[0];
    const numbers = relabelled.map(({ before }) => before.label).join(" and ");
    const words = `Someone else changed cell ${other.before.label} while you gave new numbers to ${numbers}. They keep their numbers.`;
    meetings.push({ words, lost: { added: [], updated: relabelled, removed: [] } });
    for (const { before, after } of relabelled) {
      const current = store.get(before.id);
      if (current) renamed.set(before.id, { id: before.id, label: current.label, insteadOf: after.label });
    }
  };

  const fit = (patch: Patch): Patch => {
    if (keepWhole(patch)) return EMPTY_PATCH;
    const added: Cell[] = [];
    const updated: { before: Cell; after: Cell }[] = [];
    const removed: Cell[] = [];
    let nextLabel = Math.max(store.nextLabel(), ...patch.added.map((cell) => cell.label + 1));
    const addAs = (cell: Cell, id: string): number => {
      const label = nextLabel++;
      renamed.set(cell.id, { id, label });
      added.push({ ...cell, id, label });
      return label;
    };
    for (const cell of patch.added) {
      if (labels.has(cell.label) || store.get(cell.id)) addAs(cell, store.get(cell.id) ? newId() : cell.id);
      else added.push(cell);
    }
    const relabelled = patch.updated.filter(changesLabel);
    if (relabelled.every(isAsBefore) && labelsFit(relabelled, labels)) updated.push(...relabelled);
    else keepLabels(relabelled);
    for (const update of patch.updated) {
      if (changesLabel(update)) continue;
      const current = store.get(update.before.id);
      if (isAsBefore(update)) updated.push(update);
      else if (current) {
        const label = addAs(update.after, newId());
        bothKept(`Someone else changed cell ${current.label} at the same time. Both shapes are kept: theirs is ${current.label}, yours is ${label}.`);
      } else {
        const label = addAs(update.after, newId());
        bothKept(`Someone else deleted cell ${update.before.label} while you changed it. Your shape is kept as cell ${label}.`);
      }
    }
    for (const cell of patch.removed) {
      if (isThere(cell)) removed.push(cell);
      else if (store.get(cell.id)) aside.put(`Someone else changed cell ${cell.label} while you deleted it. It is kept.`, { ...EMPTY_PATCH, removed: [cell] });
    }
    return { added, updated, removed };
  };

  for (const patch of ours) {
    const fitted = fit(aside.absorb(renameCells(patch, renamed)));
    patches.push(fitted);
    if (patchIsEmpty(fitted)) continue;
    store.apply(fitted, "server");
    for (const cell of [...fitted.removed, ...fitted.updated.map(({ before }) => before)]) labels.delete(cell.label);
    for (const cell of [...fitted.added, ...fitted.updated.map(({ after }) => after)]) labels.add(cell.label);
  }
  return { patches, meetings: meetings.filter(({ lost }) => lost === null || !patchIsEmpty(lost)), renamed };
}

/**
 * What `patch` meant, on what the document holds now: a shape is given to the cell as it is today, or to a new one; a deletion
 * takes the cell as it is today; numbers are changed all together, or not where they went to others meanwhile. Always fits the
 * document.
 */
export function insist(store: CellStore, patch: Patch, newId: () => string): Patch {
  const labels = new Set([...store.cells()].map((cell) => cell.label));
  const removed = patch.removed.flatMap((cell) => store.get(cell.id) ?? []);
  let next = store.nextLabel();
  const asNew = (cell: Cell): Cell => {
    const label = labels.has(cell.label) ? next++ : cell.label;
    labels.add(label);
    return { ...cell, id: store.get(cell.id) ? newId() : cell.id, label };
  };
  const added = patch.added.map(asNew);
  const today = patch.updated.filter(changesLabel).flatMap(({ after: { id, label } }): CellUpdate[] => {
    const before = store.get(id);
    return before ? [{ before, after: { ...before, label } }] : [];
  });
  const updated = labelsFit(today, labels) ? today.filter(changesLabel) : [];
  for (const { after } of patch.updated.filter((update) => !changesLabel(update))) {
    const before = store.get(after.id);
    if (!before) added.push(asNew(after));
    else if (!cellEquals(before, after)) updated.push({ before, after: { ...after, label: before.label } });
  }
  return { added, updated, removed };
}
