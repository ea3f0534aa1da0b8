import { acceptCells, deleteCells, needsCheck } from "../document/commands";
import type { History } from "../document/history";
import { type Cell, type Patch, PatchError } from "../document/patch";
import type { CellStore } from "../document/store";
import type { Value } from "./value";

/** What people do to cells without a pointer: the commands behind keys and buttons. */
export interface Editing {
  readonly commit: (patch: Patch, words: string) => void;
  readonly undo: () => void;
  readonly redo: () => void;
  readonly deleteSelected: () => void;
  readonly acceptSelected: () => void;
  /** Selects the next (1) or previous (-1) cell to check, worst first; when all are checked, the next one by number. Null without cells. */
  nextToCheck(direction: 1 | -1): Cell | null;
}

const byScore = (a: Cell, b: Cell): number => (a.score ?? 0) - (b.score ?? 0) || a.label - b.label;

const nameOf = (cells: readonly Cell[]): string => (cells.length === 1 ? `Cell ${cells[0].label}` : `${cells.length} cells`);

export function createEditing(
  store: CellStore,
  history: History,
  selection: Value<ReadonlySet<string>>,
  say: (words: string) => void,
): Editing {
  const commit = (patch: Patch, words: string): void => history.commit(patch, words);
  /** For changes that may happen out of sight. */
  const commitAloud = (patch: Patch, words: string): void => {
    commit(patch, words);
    say(words);
  };

  const step = (direction: "undo" | "redo"): void => {
    try {
      const entry = history[direction]();
      if (entry) say(`${direction === "undo" ? "Undone" : "Redone"}: ${entry.words}`);
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      if (direction === "undo") history.dropUndo();
      else history.dropRedo();
      say("That step was skipped: its cells were changed by someone else.");
    }
  };

  return {
    commit,
    undo: () => step("undo"),
    redo: () => step("redo"),
    deleteSelected() {
      const patch = deleteCells(store, selection.get());
      if (patch.removed.length > 0) commitAloud(patch, `${nameOf(patch.removed)} deleted`);
    },
    acceptSelected() {
      const patch = acceptCells(store, selection.get());
      const cells = patch.updated.map((update) => update.after);
      if (cells.length > 0) commitAloud(patch, `${nameOf(cells)} checked`);
    },
    nextToCheck(direction) {
      const all = [...store.cells()];
      const low = all.filter(needsCheck);
      const round = low.length > 0 ? low.sort(byScore) : all.sort((a, b) => a.label - b.label);
      if (round.length === 0) return null;
      const at = round.findIndex((cell) => selection.get().has(cell.id));
      const next = at < 0 ? (direction === 1 ? 0 : round.length - 1) : (at + direction + round.length) % round.length;
      selection.set(new Set([round[next].id]));
      return round[next];
    },
  };
}
