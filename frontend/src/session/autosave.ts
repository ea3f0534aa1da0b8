import { ApiError } from "../api/errors";
import type { HistoryEvent, HistoryState } from "../document/history";
import { type Patch, PatchError, invert, patchIsEmpty } from "../document/patch";
import type { CellStore } from "../document/store";
import type { Leftover, LocalStore, StoredEdit } from "./localStore";
import { type Meeting, type Rebased, reapply, rebase } from "./rebase";
import { type ServerEdit, fetchEdits, postEdit, readEdits } from "./requests";
import { type Readable, createValue } from "./value";

/** "paused": another tab edits the image now, and what waits here must not be sent. */
export type SaveProblem = "none" | "offline" | "signed_out" | "refused" | "reload" | "paused";

/** What the server has and has not acknowledged. */
export interface SaveState {
  readonly waiting: number;
  /** Whether all that waits lies in this browser's own storage. */
  readonly kept: boolean;
  readonly problem: SaveProblem;
}

export interface Autosave {
  readonly state: Readable<SaveState>;
  readonly revision: number;
  /** Keeps a change in this browser, then sends it. */
  add(event: HistoryEvent): void;
  /** Takes up changes that an earlier visit left behind: puts them into the document and sends them. */
  adopt(edits: readonly StoredEdit[]): void;
  /** Takes in what others changed since our revision. */
  catchUp(): Promise<void>;
  /** Stops sending. What waits is kept and stays in the document. */
  pause(): void;
  resume(): void;
  /** Takes what waits out of the document again and hands it over as leftovers, each with these words. */
  setAside(words: string): Promise<void>;
  /** Resolves once nothing waits; rejects if it cannot be sent now. */
  settled(): Promise<void>;
  retryNow(): void;
  /** The page has gone on to something else. Resolves once what waits is sent, or can only wait in this browser. */
  retire(): Promise<void>;
}

export interface AutosaveParts {
  readonly imageId: string;
  /** This tab, for the server's leases. */
  readonly tab: string;
  readonly store: CellStore;
  readonly local: LocalStore | null;
  readonly revision: number;
  readonly newId: () => string;
  readonly say: (words: string) => void;
  /** Renames cells in the undo steps too; returns these, to be kept with the changes. */
  readonly rename: (renamed: Rebased["renamed"]) => HistoryState;
  readonly onMeetings: (meetings: readonly Meeting[]) => void;
  readonly onLeftovers: (leftovers: readonly Leftover[]) => void;
  /** The server says that another tab holds the image. */
  readonly onLeaseLost: (body: ApiError["body"]) => void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** Answers that will be the same however often the change is sent. */
const FOREVER = [400, 409, 413, 422];

function problemOf(error: unknown): SaveProblem {
  if (error instanceof PatchError) return "reload";
  if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) return "offline";
  if (error.status === 401) return "signed_out";
  return error.code === "lease_lost" ? "paused" : "refused";
}

export function createAutosave(parts: AutosaveParts): Autosave {
  const { imageId, tab, store, local, newId } = parts;
  let revision = parts.revision;
  let queue: StoredEdit[] = [];
  /** Writes to this browser's storage, one after the other. */
  let keeping: Promise<unknown> = Promise.resolve();
  /** Changes that this browser's storage has not confirmed. */
  const unkept = new Set<string>();
  let running = false;
  let failures = 0;
  let onRetired: (() => void) | null = null;
  let wake: (() => void) | null = null;
  let problem: SaveProblem = "none";
  const sent = new Set<string>();
  const waiters = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  const state = createValue<SaveState>({ waiting: 0, kept: true, problem });

  const show = (next: SaveProblem): void => {
    problem = next;
    const now: SaveState = { waiting: queue.length, kept: unkept.size === 0, problem };
    const before = state.get();
    if (now.waiting !== before.waiting || now.kept !== before.kept || now.problem !== before.problem) state.set(now);
    if (queue.length === 0) for (const waiter of waiters) waiter.resolve();
    else if (next !== "none") for (const waiter of waiters) waiter.reject(new Error("Some changes are not saved yet."));
    if (queue.length === 0 || next !== "none") waiters.clear();
  };

  let told = false;
  const onUnkept = (): void => {
    if (!told) parts.say("This browser keeps no local copy. Changes go to the server only.");
    told = true;
  };
  /** `write` when its turn comes; what waits is safe in memory meanwhile. */
  const keep = (write: (local: LocalStore) => Promise<void>): Promise<void> => {
    const done = keeping.then(() => (local ? write(local) : onUnkept())).catch(onUnkept);
    keeping = done;
    return done;
  };
  const keepNew = (edit: StoredEdit, event: HistoryEvent): void => {
    unkept.add(edit.id);
    void keep(async (kept) => {
      await kept.add(edit, event);
      unkept.delete(edit.id);
      show(problem);
    });
  };

  const acknowledge = (id: string): void => {
    sent.add(id);
    unkept.delete(id);
    queue = queue.filter((edit) => edit.id !== id);
    void keep((kept) => kept.drop(id));
  };

  /** Our changes after they were fitted to newer ones of others. */
  const takeOn = (edits: readonly StoredEdit[], { patches, renamed, meetings }: Rebased): void => {
    const fitted = edits.map((edit, index) => ({ ...edit, tab, base: revision, patch: patches[index] }));
    const drop = fitted.filter(({ patch }) => patchIsEmpty(patch)).map(({ id }) => id);
    const ids = new Set(fitted.map(({ id }) => id));
    queue = [...queue.filter(({ id }) => !ids.has(id)), ...fitted.filter(({ patch }) => !patchIsEmpty(patch))];
    const history = renamed.size > 0 ? parts.rename(renamed) : undefined;
    // What waits now, not what waits when the write's turn comes: a change made meanwhile follows with its own write.
    const waiting = queue;
    void keep((kept) => kept.rewrite({ edits: waiting, drop, history }));
    if (meetings.length > 0) parts.onMeetings(meetings);
  };

  const takeIn = (edits: readonly ServerEdit[]): void => {
    const fresh = edits.filter((edit) => edit.revision > revision);
    const own = new Set([...sent, ...queue.map((edit) => edit.id)]);
    for (const { id } of fresh) if (own.has(id)) acknowledge(id);
    const theirs = fresh.filter(({ id }) => !own.has(id)).map((edit) => edit.patch);
    const before = queue;
    const result = rebase(store, before.map((edit) => edit.patch), theirs, newId);
    revision = Math.max(revision, ...fresh.map((edit) => edit.revision));
    if (result.patches.some((patch, index) => patch !== before[index].patch)) takeOn(before, result);
    show(problem);
  };

  let catching: Promise<void> | null = null;
  const catchUp = (): Promise<void> => {
    catching ??= fetchEdits(imageId, revision)
      .then(takeIn)
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

  /** A 409 brings what is new with it, unless that is very much. */
  const learnFrom = async ({ body }: ApiError): Promise<void> => {
    if (Array.isArray(body.edits) && body.more !== true) takeIn(readEdits(body.edits as Parameters<typeof readEdits>[0]));
    else await catchUp();
  };

  /** Sends the oldest change. Throws whatever stopped it. */
  const sendFirst = async (): Promise<void> => {
    const [edit] = queue;
    const before = revision;
    try {
      revision = Math.max(revision, await postEdit(imageId, tab, edit, revision));
      acknowledge(edit.id);
    } catch (error) {
      const stale = error instanceof ApiError && error.status === 409 && error.code !== "lease_lost";
      if (!stale) throw error;
      await learnFrom(error);
      // Told "stale" with nothing newer on the server: sending it again would go round in circles.
      if (revision === before && queue[0]?.id === edit.id) throw error;
    }
  };

  /** Takes these of our changes out of the document and hands them over. */
  const putAside = async (edits: readonly StoredEdit[], words: string): Promise<void> => {
    const ids = new Set(edits.map(({ id }) => id));
    const rest = queue.filter(({ id }) => !ids.has(id));
    for (const { patch } of [...queue].reverse()) store.apply(invert(patch), "server");
    queue = [];
    if (rest.length > 0) takeOn(rest, reapply(store, rest.map(({ patch }) => patch), newId));
    const leftovers = edits.map(({ id, patch }, index): Leftover => ({ id, patch, words, at: Date.now() + index }));
    parts.onLeftovers(leftovers);
    await keep((kept) => kept.addLeftovers(leftovers, [...ids]));
    show(problem);
  };

  const onRefused = async (error: unknown): Promise<void> => {
    const why = error instanceof Error ? error.message : "";
    parts.say(`The server did not take a change: ${why} It is kept in this browser.`);
    // A change that can never be saved must not hold up those after it.
    if (error instanceof ApiError && FOREVER.includes(error.status)) await putAside(queue.slice(0, 1), `Not accepted: ${why}`);
  };

  const onProblem = async (error: unknown): Promise<void> => {
    failures += 1;
    const kind = problemOf(error);
    if (kind === "refused") await onRefused(error);
    show(kind);
    if (kind === "paused") parts.onLeaseLost((error as ApiError).body);
    if (kind !== "paused" && kind !== "reload") await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)));
  };
  const mayRun = (): boolean => queue.length > 0 && problem !== "paused" && problem !== "reload";

  function close(): void {
    globalThis.removeEventListener("online", retryNow);
    void keeping.then(() => local?.close());
    onRetired?.();
  }
  const pump = async (): Promise<void> => {
    if (running) return;
    running = true;
    while (mayRun()) {
      await keeping;
      try {
        await sendFirst();
        failures = 0;
        if (problem !== "paused") show("none");
      } catch (error) {
        await onProblem(error);
      }
    }
    running = false;
    if (queue.length === 0 && problem !== "reload" && problem !== "refused" && problem !== "paused") show("none");
    if (onRetired) close();
  };

  const retryNow = (): void => {
    failures = 0;
    wake?.();
  };
  globalThis.addEventListener("online", retryNow);

  return {
    state,
    get revision() {
      return revision;
    },
    add(event) {
      const edit: StoredEdit = { id: newId(), base: revision, patch: event.patch, tab };
      queue.push(edit);
      keepNew(edit, event);
      show(problem);
      void pump();
    },
    adopt(edits) {
      const known = new Set(queue.map(({ id }) => id));
      const fresh = edits.filter(({ id }) => !known.has(id) && !sent.has(id));
      if (fresh.length === 0) return;
      takeOn(fresh, reapply(store, fresh.map(({ patch }): Patch => patch), newId));
      show(problem);
      void pump();
    },
    catchUp,
    pause: () => show("paused"),
    resume() {
      if (problem === "paused") show("none");
      retryNow();
      void pump();
    },
    setAside: (words) => putAside([...queue], words),
    settled: () =>
      queue.length === 0
        ? Promise.resolve()
        : new Promise((resolve, reject) => {
            if (problem === "paused") reject(new Error("Someone else edits this image now."));
            waiters.add({ resolve, reject });
            retryNow();
          }),
    retryNow,
    retire: () =>
      new Promise((resolve) => {
        onRetired = resolve;
        if (running) retryNow();
        else close();
      }),
  };
}
