import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import type { HistoryEntry, HistoryEvent, HistoryState } from "../document/history";
import type { Patch } from "../document/patch";
import { readPatch } from "../document/wire";

/** A change that the server has not acknowledged yet. `base` is the revision it was made on. */
export interface StoredEdit {
  readonly id: string;
  readonly base: number;
  readonly patch: Patch;
  /** The tab that made it, or has taken it up since. */
  readonly tab: string;
}

/** Something that a person did and that is not in the document: it waits here for them to decide. */
export interface Leftover {
  readonly id: string;
  readonly words: string;
  readonly patch: Patch;
  readonly at: number;
}

interface Schema extends DBSchema {
  edits: { key: string; value: StoredEdit & { scope: string; seq: number }; indexes: { order: [string, number] } };
  steps: { key: [string, number]; value: HistoryEntry };
  cursors: { key: string; value: number };
  leftovers: { key: string; value: Leftover & { scope: string }; indexes: { scope: string } };
}

export interface Rewrite {
  readonly edits: readonly StoredEdit[];
  /** Ids of edits that are not needed any more. */
  readonly drop: readonly string[];
  readonly history?: HistoryState;
}

/** What must outlive the tab: unacknowledged changes, undo, and what could not be applied. One scope per user and image. */
export interface LocalStore {
  /** Keeps a change and, in the same transaction, the undo step it belongs to. */
  add(edit: StoredEdit, step: HistoryEvent): Promise<void>;
  edits(): Promise<StoredEdit[]>;
  drop(id: string): Promise<void>;
  /** All of it or nothing. */
  rewrite(changes: Rewrite): Promise<void>;
  history(): Promise<HistoryState>;
  forgetHistory(): Promise<void>;
  leftovers(): Promise<Leftover[]>;
  /** Keeps leftovers in place of the edits they come from. */
  addLeftovers(leftovers: readonly Leftover[], inPlaceOf: readonly string[]): Promise<void>;
  dropLeftover(id: string): Promise<void>;
  close(): void;
}

const END = Number.MAX_SAFE_INTEGER;
export const scopeOf = (userId: number, imageId: string): string => `${userId}:${imageId}`;

async function open(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>("cellloop", 2, {
    upgrade(database, before) {
      if (before < 1) {
        const edits = database.createObjectStore("edits", { keyPath: "id" });
        edits.createIndex("order", ["scope", "seq"]);
        database.createObjectStore("steps");
        database.createObjectStore("cursors");
      }
      if (before < 2) database.createObjectStore("leftovers", { keyPath: "id" }).createIndex("scope", "scope");
    },
    // Another tab of ours wants a newer form: make way at once, its page has the newer code.
    blocking: (_current, _wanted, event) => (event.target as IDBDatabase).close(),
  });
}

const allSteps = (scope: string): IDBKeyRange => IDBKeyRange.bound([scope, 0], [scope, END]);

/** What older code kept reads as today's. */
function readEdit({ id, base, patch, tab }: StoredEdit): StoredEdit {
  return { id, base, patch: readPatch(patch), tab: tab ?? "" };
}

/** The images of one user with changes that the server has not got. */
export async function imagesWaiting(userId: number): Promise<string[]> {
  const database = await open();
  const prefix = scopeOf(userId, "");
  const keys = await database.getAllFromIndex("edits", "order", IDBKeyRange.bound([prefix, 0], [`${prefix}\uffff`, END]));
  database.close();
  return [...new Set(keys.map(({ scope }) => scope.slice(prefix.length)))];
}

export async function openLocalStore(scope: string): Promise<LocalStore> {
  const database = await open();
  const mine = allSteps(scope);
  let seq = (await database.getAllFromIndex("edits", "order", mine)).reduce((most, edit) => Math.max(most, edit.seq), 0);
  const row = (edit: StoredEdit) => {
    seq += 1;
    return { ...edit, scope, seq };
  };

  return {
    async add(edit, step) {
      const transaction = database.transaction(["edits", "steps", "cursors"], "readwrite");
      const writes: Promise<unknown>[] = [transaction.objectStore("edits").put(row(edit))];
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
      return rows.map(readEdit);
    },
    drop: (id) => database.delete("edits", id),
    async rewrite({ edits, drop, history }) {
      const transaction = database.transaction(["edits", "steps", "cursors"], "readwrite");
      const kept = transaction.objectStore("edits");
      const writes: Promise<unknown>[] = [...drop.map((id) => kept.delete(id)), ...edits.map((edit) => kept.put(row(edit)))];
      if (history) {
        const steps = transaction.objectStore("steps");
        writes.push(steps.delete(mine), transaction.objectStore("cursors").put(history.cursor, scope));
        history.entries.forEach((entry, index) => writes.push(steps.put(entry, [scope, index])));
      }
      await Promise.all([...writes, transaction.done]);
    },
    async history() {
      const entries = await database.getAll("steps", mine);
      const cursor = await database.get("cursors", scope);
      return { entries: entries.map(({ words, patch }) => ({ words, patch: readPatch(patch) })), cursor: cursor ?? entries.length };
    },
    async forgetHistory() {
      const transaction = database.transaction(["steps", "cursors"], "readwrite");
      await Promise.all([transaction.objectStore("steps").delete(mine), transaction.objectStore("cursors").delete(scope), transaction.done]);
    },
    async leftovers() {
      const rows = await database.getAllFromIndex("leftovers", "scope", scope);
      return rows.map(({ id, words, patch, at }) => ({ id, words, patch: readPatch(patch), at })).sort((a, b) => a.at - b.at);
    },
    async addLeftovers(leftovers, inPlaceOf) {
      const transaction = database.transaction(["edits", "leftovers"], "readwrite");
      const writes: Promise<unknown>[] = leftovers.map((leftover) => transaction.objectStore("leftovers").put({ ...leftover, scope }));
      for (const id of inPlaceOf) writes.push(transaction.objectStore("edits").delete(id));
      await Promise.all([...writes, transaction.done]);
    },
    dropLeftover: (id) => database.delete("leftovers", id),
    close: () => database.close(),
  };
}
