import { type Patch, PatchError, compose, invert, patchIsEmpty } from "./patch";
import type { CellStore } from "./store";

/** One step of undo: what one gesture changed, and the words for it. */
export interface HistoryEntry {
  readonly words: string;
  readonly patch: Patch;
}

/** A change that the history made to the document: what has to be saved. */
export interface HistoryEvent {
  readonly kind: "commit" | "undo" | "redo";
  /** As applied: for an undo, the entry's inverse. */
  readonly patch: Patch;
  readonly words: string;
  /** Entries that can be undone after this. */
  readonly cursor: number;
  /** The entry now at `cursor - 1` after a commit or a redo, at `cursor` after an undo. */
  readonly entry: HistoryEntry;
}

export interface HistoryState {
  readonly entries: readonly HistoryEntry[];
  readonly cursor: number;
}

export interface History {
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Applies a local patch and records it; an empty patch is nothing. Inside a gesture it joins the gesture's step. */
  commit(patch: Patch, words: string): void;
  /** Opens a gesture: all commits until `close` are one step. Gestures do not nest. */
  open(words: string): void;
  close(): void;
  /** Puts back what was there at `open`. */
  cancel(): void;
  /** The step taken back, or null if there is none. Throws PatchError if its cells were changed by somebody else. */
  undo(): HistoryEntry | null;
  redo(): HistoryEntry | null;
  /** Forgets the step that the next undo (or redo) would take: it no longer fits the document. */
  dropUndo(): void;
  dropRedo(): void;
  state(): HistoryState;
  restore(state: HistoryState): void;
  listen(listener: (event: HistoryEvent) => void): () => void;
}

/** Unbounded undo over patches. It knows no command: each step is inverted as data. */
export function createHistory(store: CellStore): History {
  // Changed in place: a step costs the same with ten entries and with ten thousand.
  let entries: HistoryEntry[] = [];
  let cursor = 0;
  let gesture: HistoryEntry | null = null;
  const listeners = new Set<(event: HistoryEvent) => void>();
  const tell = (event: HistoryEvent): void => {
    for (const listener of [...listeners]) listener(event);
  };

  const record = (entry: HistoryEntry): void => {
    entries.length = cursor;
    cursor = entries.push(entry);
    tell({ kind: "commit", patch: entry.patch, words: entry.words, cursor, entry });
  };

  return {
    get canUndo() {
      return cursor > 0;
    },
    get canRedo() {
      return cursor < entries.length;
    },
    commit(patch, words) {
      if (patchIsEmpty(patch)) return;
      store.apply(patch, "local");
      if (gesture) gesture = { words: gesture.words, patch: compose(gesture.patch, patch) };
      else record({ words, patch });
    },
    open(words) {
      if (gesture) throw new PatchError("a gesture is open already");
      gesture = { words, patch: { added: [], updated: [], removed: [] } };
    },
    close() {
      const done = gesture;
      gesture = null;
      if (done && !patchIsEmpty(done.patch)) record(done);
    },
    cancel() {
      const done = gesture;
      gesture = null;
      if (done && !patchIsEmpty(done.patch)) store.apply(invert(done.patch), "local");
    },
    undo() {
      if (cursor === 0) return null;
      const entry = entries[cursor - 1];
      const patch = invert(entry.patch);
      store.apply(patch, "local");
      cursor -= 1;
      tell({ kind: "undo", patch, words: entry.words, cursor, entry });
      return entry;
    },
    redo() {
      if (cursor === entries.length) return null;
      const entry = entries[cursor];
      store.apply(entry.patch, "local");
      cursor += 1;
      tell({ kind: "redo", patch: entry.patch, words: entry.words, cursor, entry });
      return entry;
    },
    dropUndo() {
      if (cursor === 0) return;
      cursor -= 1;
      entries.splice(cursor, 1);
    },
    dropRedo() {
      entries.splice(cursor, 1);
    },
    state: () => ({ entries, cursor }),
    restore(state) {
      entries = [...state.entries];
      cursor = Math.min(Math.max(state.cursor, 0), entries.length);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
