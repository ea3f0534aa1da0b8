import { type Cell, type CellUpdate, type Patch, cellEquals, invert, patchIds, patchIsEmpty } from "../document/patch";
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

/** Puts our changes, made on an older revision, on top of what the document holds now. */
export function reapply(store: CellStore, ours: readonly Patch[], newId: () => string): Rebased {
  const meetings: Meeting[] = [];
  const bothKept = (words: string): number => meetings.push({ words, lost: null });
  const renamed = new Map<string, NewName>();
  const labels = new Set([...store.cells()].map((cell) => cell.label));
  const patches: Patch[] = [];

  const isAsBefore = ({ before }: CellUpdate): boolean => {
    const current = store.get(before.id);
    return current !== undefined && cellEquals(current, before);
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
      const current = store.get(cell.id);
      if (current && cellEquals(current, cell)) removed.push(cell);
      else if (current) {
        const words = `Someone else changed cell ${cell.label} while you deleted it. It is kept.`;
        meetings.push({ words, lost: { added: [], updated: [], removed: [cell] } });
      }
    }
    return { added, updated, removed };
  };

  for (const patch of ours) {
    const fitted = fit(renameCells(patch, renamed));
    patches.push(fitted);
    if (patchIsEmpty(fitted)) continue;
    store.apply(fitted, "server");
    for (const cell of [...fitted.removed, ...fitted.updated.map(({ before }) => before)]) labels.delete(cell.label);
    for (const cell of [...fitted.added, ...fitted.updated.map(({ after }) => after)]) labels.add(cell.label);
  }
  return { patches, meetings, renamed };
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
