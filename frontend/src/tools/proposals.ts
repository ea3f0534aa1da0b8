import { needsCheck, promptCell } from "../document/commands";
import { PREVIEW_SLOT } from "../document/labelMap";
import { bitmapOf } from "../document/mask";
import { cellArea } from "../document/patch";
import type { DecodedMask, Prompt, PromptPoint, ToolContext } from "./tool";

/** A box that waits for its mask, or a mask that waits for a word: accepted, refined or dropped. */
interface Proposal {
  readonly key: string;
  readonly prompt: Prompt;
  /** The latest answer, and what it answers: while the next one is under way, not yet `prompt`. */
  readonly found: DecodedMask | null;
  readonly foundFor: Prompt | null;
  readonly asking: AbortController | null;
  /** Kept as soon as its mask is there. */
  readonly accepted: boolean;
}

export interface Proposals {
  /** Boxes whose mask is still to come. */
  readonly waiting: number;
  /** Resolves once none is waiting; rejects, in words fit for people, as soon as a mask does not come. */
  settled(): Promise<void>;
  /** Whether there is one that can be accepted, refined or dropped. */
  readonly current: boolean;
  /** A new box. The one before is accepted. `found`: its mask, if it is known already. */
  propose(prompt: Prompt, found: DecodedMask | null): void;
  /** One more click for the current box. */
  refine(point: PromptPoint): void;
  /** Takes the current box's last click back or, without one, drops it. */
  back(): boolean;
  accept(): boolean;
  /** Drops the current box or, without one, those that still wait and the notes of those that failed. */
  drop(): boolean;
  forgetFailed(): void;
}

const tagOf = (context: ToolContext, { score, mask }: DecodedMask): string => `${score.toFixed(2)}  ${context.area(cellArea(mask))}`;

/** The words of a mask's mark, and amber where the model is not sure. */
export const markOf = (context: ToolContext, found: DecodedMask | null): { tag: string; low: boolean } =>
  found ? { tag: tagOf(context, found), low: needsCheck(found) } : { tag: "", low: false };

/** Boxes in flight, of which the last one waits for a word. Every mask is kept or dropped by the person, never by its score. */
export function createProposals(context: ToolContext): Proposals {
  const all = new Map<string, Proposal>();
  const failed = new Set<string>();
  let count = 0;
  let currentKey: string | null = null;
  const watchers = new Set<{ readonly resolve: () => void; readonly reject: (error: Error) => void }>();

  const waiting = (): number => [...all.values()].filter(({ asking }) => asking !== null).length;
  const tellSettled = (): void => {
    if (waiting() > 0) return;
    for (const { resolve } of watchers) resolve();
    watchers.clear();
  };
  const tellFailed = (words: string): void => {
    for (const { reject } of watchers) reject(new Error(words));
    watchers.clear();
  };
  const put = (proposal: Proposal): void => {
    all.set(proposal.key, proposal);
    const { key, prompt, found, asking } = proposal;
    const { tag, low } = markOf(context, found);
    context.marks.put(key, { box: prompt.box, state: asking ? "waiting" : "drawing", tag, low, points: prompt.points });
  };
  const forget = (key: string): void => {
    all.get(key)?.asking?.abort();
    all.delete(key);
    if (currentKey === key) currentKey = null;
    context.marks.drop(key);
    context.preview.drop(key);
    tellSettled();
  };

  const keep = (key: string, found: DecodedMask): void => {
    forget(key);
    const cell = { id: context.newId(), score: found.score, model_version: found.modelVersion, class_id: context.classId };
    const patch = promptCell(context.document, found.mask, cell, context.options.overlap);
    const drawn = patch.added[0] ?? patch.updated.find(({ after }) => after.model_version === found.modelVersion && after.score === found.score)?.after;
    if (!drawn) {
      context.say("Nothing new in that box: its pixels belong to other cells. Set Overlap to change that.");
      return;
    }
    context.commit(patch, `Cell ${drawn.label} ${patch.added.length > 0 ? "added" : "redrawn"}`);
    context.selection.set([drawn.id]);
  };
  const arrive = (key: string, found: DecodedMask): void => {
    const proposal = all.get(key);
    if (!proposal) return;
    if (proposal.accepted) {
      keep(key, found);
      return;
    }
    context.preview.drop(key);
    context.preview.add(key, bitmapOf(found.mask), PREVIEW_SLOT);
    put({ ...proposal, found, foundFor: proposal.prompt, asking: null });
    tellSettled();
  };
  const fail = (key: string, error: unknown): void => {
    const proposal = all.get(key);
    if (!proposal) return;
    const words = error instanceof Error ? error.message : "No mask came back. The box can be drawn again.";
    context.say(words);
    tellFailed(words);
    const { found, foundFor, prompt } = proposal;
    if (found && foundFor) {
      // A click brought nothing: the mask before it still stands.
      all.set(key, { ...proposal, prompt: foundFor });
      arrive(key, found);
      return;
    }
    forget(key);
    failed.add(key);
    context.marks.put(key, { box: prompt.box, state: "failed", tag: "No mask" });
  };
  const ask = async (proposal: Proposal): Promise<void> => {
    const { key, prompt } = proposal;
    const control = new AbortController();
    proposal.asking?.abort();
    put({ ...proposal, asking: control });
    const onWait = (words: string): void => {
      if (!control.signal.aborted) context.marks.put(key, { box: prompt.box, state: "waiting", tag: words, points: prompt.points });
    };
    try {
      const found = await context.model.decode(prompt, control.signal, onWait);
      if (!control.signal.aborted) arrive(key, found);
    } catch (error) {
      if (!control.signal.aborted) fail(key, error);
    }
  };

  const accept = (): boolean => {
    const proposal = currentKey === null ? undefined : all.get(currentKey);
    if (!proposal) return false;
    currentKey = null;
    if (proposal.found && !proposal.asking) keep(proposal.key, proposal.found);
    else all.set(proposal.key, { ...proposal, accepted: true });
    return true;
  };
  const forgetFailed = (): void => {
    for (const key of failed) context.marks.drop(key);
    failed.clear();
  };
  const current = (): Proposal | undefined => (currentKey === null ? undefined : all.get(currentKey));

  return {
    get waiting() {
      return waiting();
    },
    get current() {
      return current() !== undefined;
    },
    settled: () => (waiting() === 0 ? Promise.resolve() : new Promise((resolve, reject) => watchers.add({ resolve, reject }))),
    forgetFailed,
    accept,
    propose(prompt, found) {
      accept();
      count += 1;
      const proposal: Proposal = { key: `box-${count}`, prompt, found: null, foundFor: null, asking: null, accepted: false };
      currentKey = proposal.key;
      all.set(proposal.key, proposal);
      if (found) arrive(proposal.key, found);
      else void ask(proposal);
    },
    refine(point) {
      const proposal = current();
      if (proposal) void ask({ ...proposal, prompt: { ...proposal.prompt, points: [...proposal.prompt.points, point] } });
    },
    back() {
      const proposal = current();
      if (!proposal) return false;
      const { prompt, key } = proposal;
      if (prompt.points.length > 0) void ask({ ...proposal, prompt: { ...prompt, points: prompt.points.slice(0, -1) } });
      else forget(key);
      return true;
    },
    drop() {
      const proposal = current();
      if (proposal) {
        forget(proposal.key);
        return true;
      }
      const busy = all.size + failed.size > 0;
      for (const key of [...all.keys()]) forget(key);
      forgetFailed();
      return busy;
    },
  };
}
