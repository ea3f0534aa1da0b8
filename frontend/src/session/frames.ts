import { type Frame, type Series, seriesGet } from "../api/series";
import { copyToFrame } from "../document/copying";
import type { OverlapPolicy } from "../document/overlap";
import type { Cell, Patch } from "../document/patch";
import type { CellStore } from "../document/store";
import type { Carry } from "./carry";
import { type Readable, createValue } from "./value";

/** The frames of a stack around this image; without a stack there are none, and nothing to go to. */
export interface Frames {
  readonly series: Readable<Series | null>;
  /** The image's place in its stack, from 0; null: no stack. */
  readonly index: number | null;
  readonly count: number;
  /** The image of the frame before (-1) or after (1), or null at the end. */
  beside(direction: 1 | -1): string | null;
  at(index: number): Frame | null;
  /** Takes cells along to the next frame, which has to be opened then. Its image, or null if there is none. */
  carryToNext(cells: readonly Cell[]): string | null;
  /** Puts the cells that were brought along into this frame. */
  putDown(policy: OverlapPolicy): void;
  refresh(): Promise<void>;
}

/** What the image says about its series. */
export interface FramePlace {
  readonly id: string;
  readonly index: number;
  readonly count: number;
  readonly previous: string | null;
  readonly next: string | null;
}

interface Parts {
  readonly imageId: string;
  readonly place: FramePlace | null;
  readonly store: CellStore;
  readonly carry: Carry;
  readonly newId: () => string;
  readonly commit: (patch: Patch, words: string) => void;
  readonly select: (ids: readonly string[]) => void;
  readonly say: (words: string) => void;
}

/** "12, 14 and 3 more" */
function labelsIn(cells: readonly Cell[]): string {
  const shown = cells.slice(0, 3).map((cell) => cell.label).join(", ");
  return cells.length > 3 ? `${shown} and ${cells.length - 3} more` : shown;
}

export function createFrames({ imageId, place, store, carry, newId, commit, select, say }: Parts): Frames {
  const series = createValue<Series | null>(null);

  return {
    series,
    index: place?.index ?? null,
    count: place?.count ?? 1,
    beside: (direction) => (direction === 1 ? place?.next : place?.previous) ?? null,
    at: (index) => series.get()?.frames.find((frame) => frame.index === index) ?? null,
    carryToNext(cells) {
      const next = place?.next ?? null;
      if (cells.length === 0) say("Select the cells to copy to the next frame.");
      else if (!next) say("This is the last frame.");
      if (cells.length === 0 || !next) return null;
      carry.paste = { image: next, cells };
      return next;
    },
    putDown(policy) {
      const brought = carry.paste;
      if (brought?.image !== imageId) return;
      carry.paste = null;
      const taken = new Set([...store.cells()].map((cell) => cell.label));
      const [there, free] = [brought.cells.filter(({ label }) => taken.has(label)), brought.cells.filter(({ label }) => !taken.has(label))];
      const patch = copyToFrame(store, free, policy, newId);
      commit(patch, free.length === 1 ? `Cell ${free[0].label} copied from the frame before` : `${free.length} cells copied from the frame before`);
      select([...patch.added, ...there.flatMap(({ label }) => [...store.cells()].find((cell) => cell.label === label) ?? [])].map((cell) => cell.id));
      if (there.length > 0) say(`In this frame already, and left as they are: ${labelsIn(there)}.`);
      else if (patch.added.length < free.length) say("Other cells lie where the copies would be. Allow overlap, then copy again.");
      else say(patch.added.length === 1 ? `Cell ${patch.added[0].label} copied` : `${patch.added.length} cells copied`);
    },
    async refresh() {
      if (place) series.set(await seriesGet(place.id));
    },
  };
}
