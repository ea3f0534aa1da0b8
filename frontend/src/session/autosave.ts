import { ApiError } from "../api/errors";
import type { HistoryEvent } from "../document/history";
import { type Patch, PatchError, patchIsEmpty } from "../document/patch";
import type { CellStore } from "../document/store";
import type { LocalStore, StoredEdit } from "./localStore";
import { type Rebased, rebase } from "./rebase";
import { type ServerEdit, fetchEdits, postEdit } from "./requests";
import { type Readable, createValue } from "./value";

export type SaveProblem = "none" | "offline" | "signed_out" | "refused" | "reload";

/** What the server has and has not acknowledged. */
export interface SaveState {
  readonly waiting: number;
  readonly problem: SaveProblem;
}

export interface Autosave {
  readonly state: Readable<SaveState>;
  readonly revision: number;
  /** Keeps a change in this browser, then sends it. */
  add(event: HistoryEvent): void;
  /** Takes in what others changed since our revision. */
  catchUp(): Promise<void>;
  /** Resolves once nothing waits; rejects if it cannot be sent now. */
  settled(): Promise<void>;
  retryNow(): void;
  /** The page has gone on to something else. What waits is still sent; then this browser's store is closed. */
  retire(): void;
}

interface Parts {
  readonly imageId: string;
  readonly store: CellStore;
  readonly local: LocalStore | null;
  readonly revision: number;
  /** Changes of an earlier visit that were never acknowledged, already shown by the document. */
  readonly waiting: readonly StoredEdit[];
  readonly newId: () => string;
  readonly say: (words: string) => void;
  readonly onRenamed: (renamed: Rebased["renamed"]) => void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

export function createAutosave(parts: Parts): Autosave {
  const { imageId, store, local, newId } = parts;
  let revision = parts.revision;
  let queue: StoredEdit[] = [...parts.waiting];
  let keeping: Promise<unknown> = Promise.resolve();
  let running = false;
  let failures = 0;
  let retired = false;
  let wake: (() => void) | null = null;
  let problem: SaveProblem = "none";
  const sent = new Set<string>();
  const waiters = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  const state = createValue<SaveState>({ waiting: queue.length, problem });

  const show = (next: SaveProblem): void => {
    problem = next;
    if (state.get().waiting !== queue.length || state.get().problem !== next) state.set({ waiting: queue.length, problem: next });
    if (queue.length === 0) for (const waiter of waiters) waiter.resolve();
    else if (next !== "none") for (const waiter of waiters) waiter.reject(new Error("Some changes are not saved yet."));
    if (queue.length === 0 || next !== "none") waiters.clear();
  };

  const acknowledge = async (id: string): Promise<void> => {
    sent.add(id);
    queue = queue.filter((edit) => edit.id !== id);
    await local?.drop(id);
  };

  const takeIn = async (edits: readonly ServerEdit[], newest: number): Promise<void> => {
    const own = new Set([...sent, ...queue.map((edit) => edit.id)]);
    for (const { id } of edits) if (own.has(id)) await acknowledge(id);
    const theirs = edits.filter(({ id }) => !own.has(id)).map((edit) => edit.patch);
    const before = queue;
    const result = rebase(store, before.map((edit) => edit.patch), theirs, newId);
    revision = newest;
    if (result.patches.some((patch, index) => patch !== before[index].patch)) {
      queue = before
        .map((edit, index) => ({ ...edit, base: newest, patch: result.patches[index] }))
        .filter((edit) => !patchIsEmpty(edit.patch));
      await local?.replaceEdits(queue);
    }
    if (result.renamed.size > 0) parts.onRenamed(result.renamed);
    for (const words of result.words) parts.say(words);
  };

  let catching: Promise<void> | null = null;
  /** One at a time: the same changes must not be taken in twice. */
  const catchUp = (): Promise<void> => {
    catching ??= fetchEdits(imageId, revision)
      .then(async ({ edits, revision: newest }) => {
        if (newest > revision) await takeIn(edits, newest);
      })
      .finally(() => {
        catching = null;
      });
    return catching;
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** Sends the oldest change. Throws whatever stopped it. */
  const sendFirst = async (): Promise<void> => {
    const [edit] = queue;
    const before = revision;
    try {
      revision = Math.max(revision, await postEdit(imageId, edit.id, revision, edit.patch));
      await acknowledge(edit.id);
    } catch (error) {
      const stale = error instanceof ApiError && error.status === 409;
      if (!stale) throw error;
      await catchUp();
      // Told "stale" with nothing newer on the server: sending it again would go round in circles.
      if (revision === before && queue[0]?.id === edit.id) throw error;
    }
  };

  const problemOf = (error: unknown): SaveProblem => {
    if (error instanceof PatchError) return "reload";
    if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) return "offline";
    if (error.status === 401) return "signed_out";
    return "refused";
  };

  /** A change that can never be saved must not hold up those after it. It stays in this browser. */
  const setAside = async (error: unknown): Promise<void> => {
    const [edit] = queue;
    const why = error instanceof Error ? error.message : "";
    parts.say(`The server did not take a change: ${why} It is kept in this browser; reload to see what is saved.`);
    const forever = error instanceof ApiError && [400, 409, 413, 422].includes(error.status);
    if (!forever) return;
    queue = queue.filter((other) => other !== edit);
    await local?.setAside(edit.id);
  };

  const pump = async (): Promise<void> => {
    if (running) return;
    running = true;
    while (queue.length > 0) {
      await keeping;
      try {
        await sendFirst();
        failures = 0;
        show("none");
      } catch (error) {
        failures += 1;
        const kind = problemOf(error);
        if (kind === "refused") await setAside(error);
        show(kind);
        if (kind === "reload") break;
        await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)));
      }
    }
    running = false;
    if (problem !== "reload" && problem !== "refused") show("none");
    if (retired) close();
  };
  if (queue.length > 0) void pump();

  function close(): void {
    globalThis.removeEventListener("online", retryNow);
    local?.close();
  }
  const retryNow = (): void => {
    failures = 0;
    wake?.();
  };
  const addPatch = (patch: Patch, event: HistoryEvent): void => {
    const edit: StoredEdit = { id: newId(), base: revision, patch };
    queue.push(edit);
    keeping = keeping
      .then(() => local?.add(edit, event))
      .catch(() => parts.say("This browser keeps no local copy. Changes go to the server only."));
    show(problem);
    void pump();
  };
  globalThis.addEventListener("online", retryNow);

  return {
    state,
    get revision() {
      return revision;
    },
    add: (event) => addPatch(event.patch, event),
    catchUp,
    settled: () =>
      queue.length === 0
        ? Promise.resolve()
        : new Promise((resolve, reject) => {
            waiters.add({ resolve, reject });
            retryNow();
          }),
    retryNow,
    retire() {
      retired = true;
      if (running) retryNow();
      else close();
    },
  };
}
