import type { LeaseAnswer, Tab } from "../api/presence";
import { leaseBeat, leaseLeave } from "../api/presence";
import { type Readable, createValue } from "./value";

/** Who may change the image, as far as this tab knows. */
export interface LeaseState {
  readonly mine: boolean;
  /** Null: nobody, or not known. */
  readonly holder: Tab | null;
  readonly people: readonly Tab[];
  /** It was ours, and somebody took it over. */
  readonly lost: boolean;
}

/** A server-sent event about the lease. */
export interface LeaseNews {
  readonly holder: Tab | null;
  readonly people: readonly Tab[];
  readonly taken_from: string | null;
}

export interface Lease {
  readonly state: Readable<LeaseState>;
  /** Makes the lease ours, whoever has it. Throws if the server cannot be reached or says no. */
  takeOver(): Promise<void>;
  learn(news: LeaseNews): void;
  /** The server told us by refusing an edit. */
  lose(holder: Tab | null): void;
  /** Asks now instead of at the next beat. */
  beat(): Promise<void>;
  /** Stops beating and lets go. */
  leave(): void;
}

interface Parts {
  readonly imageId: string;
  readonly tab: string;
  /** False for those who may only look: they are seen, and never hold it. */
  readonly want: boolean;
  readonly first: LeaseAnswer;
  /** The server's revision, with every beat: news may have been missed. */
  readonly onRevision: (revision: number) => void;
}

/** A person who reloads the page lets go for a moment: readers wait this long before they take a lease that came free. */
const TAKE_AFTER_MS = 4000;

export function createLease({ imageId, tab, want, first, onRevision }: Parts): Lease {
  const state = createValue<LeaseState>({ mine: first.mine, holder: first.holder, people: first.people, lost: false });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let left = false;

  const update = (mine: boolean, holder: Tab | null, people: readonly Tab[]): void => {
    const before = state.get();
    state.set({ mine, holder, people, lost: !mine && (before.lost || before.mine) });
  };
  const take = (answer: LeaseAnswer): void => {
    update(answer.mine, answer.holder, answer.people);
    onRevision(answer.revision);
  };
  /** A hidden tab takes nothing, and a lease that was taken over is not taken back by the next beat: a person decides that. */
  const mayWant = (): boolean => {
    const { mine, lost, holder } = state.get();
    return mine || (document.visibilityState === "visible" && !(lost && holder));
  };
  const beat = async (): Promise<void> => {
    clearTimeout(timer);
    try {
      const answer = await leaseBeat(imageId, { session: tab, want: want && mayWant() });
      if (!left) take(answer);
    } catch {
      // The next beat asks again. Until then changes are kept here, and the server decides when it is back.
    }
    schedule();
  };
  function schedule(ms = first.beat_s * 1000): void {
    clearTimeout(timer);
    if (!left) timer = setTimeout(() => void beat(), ms);
  }
  const onShow = (): void => {
    if (document.visibilityState === "visible") void beat();
  };
  const onHide = (): void => leaseLeave(imageId, tab);
  // Browsers slow down the timers of hidden tabs, whose lease then runs out: ask as soon as the tab is seen again.
  document.addEventListener("visibilitychange", onShow);
  globalThis.addEventListener("pagehide", onHide);
  globalThis.addEventListener("pageshow", onShow);
  schedule();

  return {
    state,
    async takeOver() {
      const answer = await leaseBeat(imageId, { session: tab, take_over: true });
      state.set({ ...state.get(), lost: false });
      take(answer);
    },
    learn({ holder, people }) {
      update(holder?.session === tab, holder, people);
      if (!holder) schedule(TAKE_AFTER_MS);
    },
    lose: (holder) => update(false, holder, state.get().people),
    beat,
    leave() {
      left = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onShow);
      globalThis.removeEventListener("pagehide", onHide);
      globalThis.removeEventListener("pageshow", onShow);
      leaseLeave(imageId, tab);
    },
  };
}
