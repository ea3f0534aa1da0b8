import type { Patch } from "../document/patch";
import type { CellStore } from "../document/store";
import type { Leftover, LocalStore } from "./localStore";
import { type Meeting, insist } from "./rebase";
import { type Readable, createValue } from "./value";

/** Two versions met, or the server did not take one: said in words, and never dropped without a person's word. */
export interface Conflict {
  readonly id: string;
  readonly words: string;
  /** What of ours is not in the document; null: both versions are, and there is nothing left to do. */
  readonly patch: Patch | null;
  readonly at: number;
}

export interface Conflicts {
  readonly list: Readable<readonly Conflict[]>;
  /** Puts what is kept into the document, on top of what is there now; one step of undo. */
  tryAgain(id: string): void;
  /** The person does not want it: it is gone. */
  dismiss(id: string): void;
  met(meetings: readonly Meeting[]): void;
  /** Changes that were taken out of the document; they lie in this browser's storage already. */
  left(leftovers: readonly Leftover[]): void;
}

interface Parts {
  readonly local: LocalStore | null;
  readonly store: CellStore;
  readonly kept: readonly Leftover[];
  readonly newId: () => string;
  readonly say: (words: string) => void;
  /** Applies a change of ours as one step of undo; false if nothing may be changed now. */
  readonly commit: (patch: Patch, words: string) => boolean;
}

export function createConflicts({ local, store, kept, newId, say, commit }: Parts): Conflicts {
  const list = createValue<readonly Conflict[]>(kept);
  const dismiss = (id: string): void => {
    list.set(list.get().filter((conflict) => conflict.id !== id));
    void local?.dropLeftover(id);
  };

  return {
    list,
    dismiss,
    tryAgain(id) {
      const conflict = list.get().find((one) => one.id === id);
      if (!conflict?.patch) return;
      if (commit(insist(store, conflict.patch, newId), "Your version put back")) dismiss(id);
    },
    met(meetings) {
      const fresh = meetings.map(({ words, lost }): Conflict => ({ id: newId(), words, patch: lost, at: Date.now() }));
      list.set([...list.get(), ...fresh]);
      const lost = fresh.flatMap(({ patch, ...rest }) => (patch ? [{ ...rest, patch }] : []));
      if (lost.length > 0) void local?.addLeftovers(lost, []);
      say(meetings[0].words);
    },
    left: (leftovers) => list.set([...list.get(), ...leftovers]),
  };
}
