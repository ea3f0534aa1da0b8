import type { Tab } from "../api/presence";
import type { History, HistoryEntry } from "../document/history";
import { type Patch, patchIsEmpty } from "../document/patch";
import type { CellStore } from "../document/store";
import { type Access, accessOf } from "./access";
import { type Autosave, createAutosave } from "./autosave";
import { type Conflicts, createConflicts } from "./conflicts";
import { newId } from "./ids";
import { type Lease, createLease } from "./lease";
import { type Opened, leftBehind } from "./openImage";
import { renameCells } from "./rebase";
import { type Saved, savedOf } from "./saved";
import { type Readable, derive, sameFields } from "./value";

/** Who may change the image, and what becomes of the changes. */
export interface Keeping {
  readonly lease: Lease;
  readonly access: Readable<Access>;
  readonly people: Readable<readonly Tab[]>;
  readonly autosave: Autosave;
  readonly conflicts: Conflicts;
  readonly saved: Readable<Saved>;
  /** Takes up what an earlier visit left behind, and calls `onMine` now and whenever the image becomes ours again. */
  begin(onMine: () => void): void;
  /** The lease is ours until what waits is sent. */
  leave(): void;
}

interface Parts {
  readonly opened: Opened;
  readonly store: CellStore;
  readonly history: History;
  readonly commit: (patch: Patch, words: string) => void;
  readonly say: (words: string) => void;
}

export function createKeeping({ opened, store, history, commit, say }: Parts): Keeping {
  const { local, tab } = opened;
  const imageId = opened.image.id;
  const viewer = opened.project.role === "viewer";
  const onRevision = (revision: number): void => {
    if (revision > autosave.revision && autosave.state.get().waiting === 0) void autosave.catchUp().catch(() => undefined);
  };
  const lease = createLease({ imageId, tab, want: !viewer, first: opened.lease, onRevision });
  const access = derive([lease.state], () => accessOf(lease.state.get(), viewer), sameFields);
  const people = derive([lease.state], () => lease.state.get().people);

  const conflicts = createConflicts({
    local,
    store,
    kept: opened.leftovers,
    newId,
    say,
    commit(patch, words) {
      if (access.get().kind !== "mine") return false;
      commit(patch, words);
      return true;
    },
  });
  const autosave = createAutosave({
    imageId,
    tab,
    store,
    local,
    revision: opened.cells.revision,
    newId,
    say,
    rename(renamed) {
      const { entries, cursor } = history.state();
      const now = entries.map((entry) => ({ ...entry, patch: renameCells(entry.patch, renamed) }));
      const says = ({ patch }: HistoryEntry): boolean => !patchIsEmpty(patch);
      history.restore({ cursor: now.slice(0, cursor).filter(says).length, entries: now.filter(says) });
      return history.state();
    },
    onMeetings: conflicts.met,
    onLeftovers: conflicts.left,
    onLeaseLost: () => void lease.beat(),
  });
  history.listen((event) => autosave.add(event));
  const unresolved = (): number => conflicts.list.get().filter(({ patch }) => patch !== null).length;
  const saved = derive([autosave.state, conflicts.list, access], () => savedOf(autosave.state.get(), unresolved(), access.get()), sameFields);

  const isMine = (): boolean => access.get().kind === "mine";
  /** What an earlier visit left behind goes first, then what waits here. */
  const takeUp = async (): Promise<void> => {
    await autosave.catchUp().catch(() => undefined);
    if (local) autosave.adopt(await leftBehind(imageId, local, tab).catch(() => []));
    if (isMine()) autosave.resume();
  };
  const warnBeforeLoss = (event: BeforeUnloadEvent): void => {
    if (!autosave.state.get().kept) event.preventDefault();
  };
  globalThis.addEventListener("beforeunload", warnBeforeLoss);
  let stop: () => void = () => undefined;

  return {
    lease,
    access,
    people,
    autosave,
    conflicts,
    saved,
    begin(onMine) {
      let was = isMine();
      if (was) {
        autosave.adopt(opened.waiting);
        onMine();
      } else autosave.pause();
      stop = access.subscribe(() => {
        const now = isMine();
        if (now === was) return;
        was = now;
        if (now) void takeUp().then(onMine);
        else autosave.pause();
      });
    },
    leave() {
      stop();
      globalThis.removeEventListener("beforeunload", warnBeforeLoss);
      void autosave.retire().then(lease.leave);
    },
  };
}
