import { messageOf } from "../api/errors";
import { type Proposal, type ProposalMode, proposalAccept, proposalDismiss, proposalList } from "../api/proposals";
import type { Patch } from "../document/patch";
import { readPatch } from "../document/wire";
import type { Autosave } from "./autosave";
import { type Readable, createValue } from "./value";

/** What the model found after a person had begun: shown beside the work, never put over it. */
export interface Proposals {
  readonly list: Readable<readonly Proposal[]>;
  accept(id: string, mode: ProposalMode): Promise<void>;
  dismiss(id: string): Promise<void>;
  refresh(): Promise<void>;
}

interface Parts {
  readonly imageId: string;
  readonly tab: string;
  readonly autosave: Autosave;
  readonly newId: () => string;
  readonly say: (words: string) => void;
  /** Makes a change that is in the document already a step of undo. */
  readonly record: (patch: Patch, words: string) => void;
}

export function createProposals({ imageId, tab, autosave, newId, say, record }: Parts): Proposals {
  const list = createValue<readonly Proposal[]>([]);
  const refresh = async (): Promise<void> => list.set(await proposalList(imageId));
  const aloud = async (failure: string, act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      say(`${failure} ${messageOf(error)}`);
    }
    await refresh().catch(() => undefined);
  };

  return {
    list,
    refresh,
    accept: (id, mode) =>
      aloud("The proposed cells were not taken.", async () => {
        await autosave.settled();
        const answer = await proposalAccept(id, { id: newId(), base_revision: autosave.revision, mode, session: tab });
        await autosave.catchUp();
        const patch = readPatch(answer.patch);
        record(patch, "Proposed cells taken");
        say(patch.added.length === 1 ? "1 proposed cell taken" : `${patch.added.length} proposed cells taken`);
      }),
    dismiss: (id) => aloud("The proposal was not put away.", () => proposalDismiss(id)),
  };
}
