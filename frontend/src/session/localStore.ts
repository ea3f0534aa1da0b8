import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import type { HistoryEntry, HistoryEvent, HistoryState } from "../document/history";
import type { Patch } from "../document/patch";

/** A change that the server has not acknowledged yet. `base` is the revision it was made on. */
export interface StoredEdit {
  readonly id: string;
  readonly base: number;
  readonly patch: Patch;
}

interface Schema extends DBSchema {
  edits: { key: string; value: StoredEdit & { scope: string; seq: number }; indexes: { order: [string, number] } };
  steps: { key: [string, number]; value: HistoryEntry };
  cursors: { key: string; value: number };
}

/** What must outlive the tab: unacknowledged changes, and undo. One scope per user and image. */
export interface LocalStore {
  /** Keeps a change and, in the same transaction, the undo step it belongs to. */
  add(edit: StoredEdit, step: HistoryEvent): Promise<void>;
  edits(): Promise<StoredEdit[]>;
  drop(id: string): Promise<void>;
  /** Keeps a change that the server refused, but out of the way. */
  setAside(id: string): Promise<void>;
  replaceEdits(edits: readonly StoredEdit[]): Promise<void>;
  history(): Promise<HistoryState>;
  replaceHistory(state: HistoryState): Promise<void>;
  close(): void;
}

const END = Number.MAX_SAFE_INTEGER;

async function open(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>("cellloop", 1, {
    upgrade(database) {
      const edits = database.createObjectStore("edits", { keyPath: "id" });
      edits.createIndex("order", ["scope", "seq"]);
      database.createObjectStore("steps");
      database.createObjectStore("cursors");
    },
  });
}

export async function openLocalStore(scope: string): Promise<LocalStore> {
  const database = await open();
  const mine = IDBKeyRange.bound([scope, 0], [scope, END]);
  let seq = (await database.getAllFromIndex("edits", "order", mine)).reduce((most, edit) => Math.max(most, edit.seq), 0);

  return {
    async add(edit, step) {
      seq += 1;
      const transaction = database.transaction(["edits", "steps", "cursors"], "readwrite");
      const writes: Promise<unknown>[] = [transaction.objectStore("edits").put({ ...edit, scope, seq })];
      if (step.kind === "commit") {
        const steps = transaction.objectStore("steps");
        writes.push(steps.put(step.entry, [scope, step.cursor - 1]));
        writes.push(steps.delete(IDBKeyRange.bound([scope, step.cursor], [scope, END])));
      }
      writes.push(transaction.objectStore("cursors").put(step.cursor, scope));
      await Promise.all([...writes, transaction.done]);
    },
    async edits() {
      const rows = await database.getAllFromIndex("edits", "order", mine);
      return rows.map(({ id, base, patch }) => ({ id, base, patch }));
    },
    drop: (id) => database.delete("edits", id),
    async setAside(id) {
      const edit = await database.get("edits", id);
      if (edit) await database.put("edits", { ...edit, scope: `refused:${scope}` });
    },
    async replaceEdits(edits) {
      const transaction = database.transaction("edits", "readwrite");
      const old = await transaction.store.index("order").getAllKeys(mine);
      const writes: Promise<unknown>[] = old.map((id) => transaction.store.delete(id));
      for (const edit of edits) {
        seq += 1;
        writes.push(transaction.store.put({ ...edit, scope, seq }));
      }
      await Promise.all([...writes, transaction.done]);
    },
    async history() {
      const entries = await database.getAll("steps", mine);
      return { entries, cursor: (await database.get("cursors", scope)) ?? entries.length };
    },
    async replaceHistory({ entries, cursor }) {
      const transaction = database.transaction(["steps", "cursors"], "readwrite");
      const steps = transaction.objectStore("steps");
      const writes: Promise<unknown>[] = [steps.delete(mine), transaction.objectStore("cursors").put(cursor, scope)];
      entries.forEach((entry, index) => writes.push(steps.put(entry, [scope, index])));
      await Promise.all([...writes, transaction.done]);
    },
    close: () => database.close(),
  };
}
