import type { Autosave } from "./autosave";
import { listenToProject } from "./events";
import type { Lease } from "./lease";

interface Parts {
  readonly imageId: string;
  readonly projectId: string;
  readonly tab: string;
  readonly autosave: Autosave;
  readonly lease: Lease;
  /** The image's own data (status, progress, notes) may be others now. */
  readonly refetchImage: () => void;
  readonly onProgress: (news: { status: string; progress: number | null; error: string }) => void;
  readonly onModel: () => void;
  readonly onClasses: () => void;
  readonly onNotes: () => void;
  readonly onProposals: () => void;
}

/** A change of ours that is on its way may show in the news before its answer: wait this long before asking what is new. */
const NEWS_DELAY_MS = 400;

export interface Live {
  /** The server speaks of this revision: what we have not got is asked for. */
  onRevision(revision: number): void;
  stop(): void;
}

/** Keeps an open image in step with the server: others' edits, the lease, the image's state. */
export function followImage(parts: Parts): Live {
  const { imageId, autosave, lease } = parts;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const catchUp = (): void => void autosave.catchUp().catch(() => undefined);
  const onRevision = (revision: number): void => {
    if (revision <= autosave.revision) return;
    clearTimeout(timer);
    // While something of ours is being sent its answer tells the revision, or a 409 brings what is new.
    timer = setTimeout(() => {
      if (autosave.state.get().waiting === 0 || autosave.state.get().problem === "paused") catchUp();
    }, NEWS_DELAY_MS);
  };

  const stopListening = listenToProject(parts.projectId, {
    onConnect() {
      parts.refetchImage();
      autosave.retryNow();
      // Events are not replayed: whoever left or came meanwhile is asked for.
      void lease.beat();
    },
    onModel: parts.onModel,
    onImage(news) {
      if (news.id !== imageId) return;
      parts.onProgress(news);
      onRevision(news.revision);
    },
    onEdit({ image, revision, session }) {
      if (image !== imageId || session === parts.tab) return;
      // Someone else's: nothing of ours can be on its way under this revision.
      if (revision > autosave.revision) catchUp();
    },
    onLease: (news) => {
      if (news.image === imageId) lease.learn(news);
    },
    onNote: (news) => {
      if (news.image === imageId) parts.onNotes();
    },
    onProposal: (news) => {
      if (news.image === imageId) parts.onProposals();
    },
    onClasses: parts.onClasses,
  });

  return {
    onRevision,
    stop() {
      clearTimeout(timer);
      stopListening();
    },
  };
}
