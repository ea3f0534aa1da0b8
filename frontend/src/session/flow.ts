import { ApiError, messageOf } from "../api/errors";
import { type Queue, type QueueItem, imageSkip, imageSubmit, queueGet } from "../api/queue";
import type { Autosave } from "./autosave";
import { type Readable, createValue } from "./value";

/** Which image comes next and why, and how this one is finished. */
export interface Flow {
  /** The images that wait, the next first; empty until they are known. */
  readonly upcoming: Readable<readonly QueueItem[]>;
  readonly progress: Readable<Queue["progress"] | null>;
  /** Submits the image once everything is saved. The queue after it, or null if it was not submitted, which is said. */
  submit(): Promise<Queue | null>;
  /** Leaves the image for later, with a reason. The queue after it, or null. */
  skip(reason: string): Promise<Queue | null>;
  refresh(): Promise<void>;
}

interface Parts {
  readonly imageId: string;
  readonly projectId: string;
  readonly tab: string;
  readonly autosave: Autosave;
  readonly say: (words: string) => void;
  /** The image is done: undo begins anew when it is opened again. */
  readonly onSubmitted: () => Promise<void>;
}

export function createFlow({ imageId, projectId, tab, autosave, say, onSubmitted }: Parts): Flow {
  const upcoming = createValue<readonly QueueItem[]>([]);
  const progress = createValue<Queue["progress"] | null>(null);
  let running = false;

  const show = (queue: Queue): Queue => {
    upcoming.set(queue.upcoming);
    progress.set(queue.progress);
    return queue;
  };
  /** Pressing twice does it once. */
  const once = async (act: () => Promise<Queue>, explain: (error: unknown) => Promise<void>): Promise<Queue | null> => {
    if (running) return null;
    running = true;
    try {
      return show(await act());
    } catch (error) {
      await explain(error);
      return null;
    } finally {
      running = false;
    }
  };
  const explainSubmit = async (error: unknown): Promise<void> => {
    if (error instanceof ApiError && error.code === "stale_revision") {
      await autosave.catchUp().catch(() => undefined);
      say("Not submitted: someone else changed this image. Look at it again, then submit.");
    } else say(`Not submitted. ${messageOf(error)} Your changes are kept.`);
  };

  return {
    upcoming,
    progress,
    submit: () =>
      once(async () => {
        await autosave.settled();
        const queue = await imageSubmit(imageId, autosave.revision, tab);
        await onSubmitted();
        return queue;
      }, explainSubmit),
    skip: (reason) =>
      once(
        async () => {
          await autosave.settled();
          return (await imageSkip(imageId, reason, tab)).queue;
        },
        (error) => Promise.resolve(say(`Not skipped. ${messageOf(error)}`)),
      ),
    async refresh() {
      show(await queueGet(projectId, { after: imageId, session: tab }));
    },
  };
}
