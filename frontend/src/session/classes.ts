import { type CellClass, classList } from "../api/classes";
import { classifyCells } from "../document/commands";
import type { Patch } from "../document/patch";
import type { CellStore } from "../document/store";
import type { Carry } from "./carry";
import { type Readable, type Value, createValue } from "./value";

/** The project's classes, as far as one image needs them. */
export interface Classes {
  /** Archived ones too: cells may still have them. */
  readonly all: Readable<readonly CellClass[]>;
  readonly offered: Readable<readonly CellClass[]>;
  /** The class of new cells and of the class brush; null: none. */
  readonly current: Value<string | null>;
  /** Cells per class, and under null those without one. */
  counts(): ReadonlyMap<string | null, number>;
  /** Gives the selected cells a class (null: none); one step of undo. */
  assign(id: string | null): void;
  /** The key of a class: for new cells and, if some are selected, for these; the class that they have is taken away again. */
  press(digit: number): void;
  refresh(): Promise<void>;
}

interface Parts {
  readonly projectId: string;
  readonly store: CellStore;
  readonly selection: Readable<ReadonlySet<string>>;
  readonly carry: Carry;
  readonly commit: (patch: Patch, words: string) => void;
  readonly say: (words: string) => void;
}

export function createClasses({ projectId, store, selection, carry, commit, say }: Parts): Classes {
  const all = createValue<readonly CellClass[]>([]);
  const offered = createValue<readonly CellClass[]>([]);
  const current = createValue(carry.classes.get(projectId) ?? null);
  current.subscribe(() => carry.classes.set(projectId, current.get()));

  const counted = new Map<string | null, number>();
  const count = (id: string | null, by: 1 | -1): void => {
    const next = (counted.get(id) ?? 0) + by;
    if (next === 0) counted.delete(id);
    else counted.set(id, next);
  };
  for (const cell of store.cells()) count(cell.class_id, 1);
  store.listen(({ patch }) => {
    for (const cell of [...patch.added, ...patch.updated.map(({ after }) => after)]) count(cell.class_id, 1);
    for (const cell of [...patch.removed, ...patch.updated.map(({ before }) => before)]) count(cell.class_id, -1);
  });

  const nameOf = (id: string): string => all.get().find((one) => one.id === id)?.name ?? "unknown";
  const assign = (id: string | null): void => {
    const patch = classifyCells(store, selection.get(), id);
    const cells = patch.updated.length;
    if (cells === 0) return;
    const [first] = patch.updated;
    const subject = cells === 1 ? `Cell ${first.before.label}` : `${cells} cells`;
    const words = id === null ? `${subject} without a class` : `${subject} is ${nameOf(id)}`;
    commit(patch, cells > 1 && id !== null ? `${subject} are ${nameOf(id)}` : words);
  };

  return {
    all,
    offered,
    current,
    counts: () => counted,
    assign,
    press(digit) {
      const chosen = offered.get().find(({ key }) => key === digit);
      if (!chosen) {
        say(`No class has the key ${digit}.`);
        return;
      }
      const selected = [...selection.get()].flatMap((id) => store.get(id) ?? []);
      const again = selected.length > 0 ? selected.every((cell) => cell.class_id === chosen.id) : current.get() === chosen.id;
      const id = again ? null : chosen.id;
      if (selected.length > 0) assign(id);
      else say(id === null ? "New cells get no class." : `New cells are ${chosen.name}.`);
      current.set(id);
    },
    async refresh() {
      const list = await classList(projectId);
      all.set(list);
      offered.set(list.filter(({ archived }) => !archived));
      if (current.get() !== null && !offered.get().some(({ id }) => id === current.get())) current.set(null);
    },
  };
}
