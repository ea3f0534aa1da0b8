import type { ImageEvent } from "../api/events";
import type { Autosave } from "./autosave";
import { listenToProject } from "./events";
import type { Lease } from "./lease";
import { type Readable, createValue } from "./value";

interface Parts {
  readonly imageId: string;
  readonly projectId: string;
  readonly tab: string;
  readonly autosave: Autosave;
  readonly lease: Lease;
  /** The image's own data (status, progress, notes) may be others now. */
  readonly refetchImage: () => void;
  readonly onProgress: (news: ImageEvent) => void;
  /** Others opened or left another image of the project. */
  readonly onOthers: () => void;
  readonly onModel: () => void;
  readonly onClasses: () => void;
  readonly onNotes: () => void;
  readonly onProposals: () => void;
}

/** A change of ours that is on its way may show in the news before its answer: wait this long before asking what is new. */
const NEWS_DELAY_MS = 400;

/** What is new of any image of the project. Null: the stream was down and is back, so anything may be. */
export interface ImageNews {
  readonly event: ImageEvent | null;
}

export interface Live {
  readonly news: Readable<ImageNews>;
  /** The server speaks of this revision: what we have not got is asked for. */
  onRevision(revision: number): void;
  stop(): void;
}

/** Keeps an open image in step with the server: others' edits, the lease, the image's state. */
export function followImage(parts: Parts): Live {
  const { imageId, autosave, lease } = parts;
  const news = createValue<ImageNews>({ event: null });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let connected = false;

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
      if (connected) news.set({ event: null });
      connected = true;
    },
    onModel: parts.onModel,
    onImage(event) {
      news.set({ event });
      if (event.id !== imageId || event.status === "deleted") return;
      parts.onProgress(event);
      if (event.revision !== undefined) onRevision(event.revision);
    },
    onEdit({ image, revision, session }) {
      if (image !== imageId || session === parts.tab) return;
      // Someone else's: nothing of ours can be on its way under this revision.
      if (revision > autosave.revision) catchUp();
    },
    onLease(change) {
      if (change.image === imageId) lease.learn(change);
      else parts.onOthers();
    },
    onNote({ image, open }) {
      news.set({ event: { id: image, notes: open } });
      if (image === imageId) parts.onNotes();
    },
    onProposal({ image }) {
      if (image === imageId) parts.onProposals();
    },
    onClasses: parts.onClasses,
  });

  return {
    news,
    onRevision,
    stop() {
      clearTimeout(timer);
      stopListening();
    },
  };
}
