import { ApiError, messageOf } from "../api/errors";
import type { ImageEvent } from "../api/events";
import { type Queue, type QueueItem, imageSkip, imageSubmit, queueGet } from "../api/queue";
import type { Autosave } from "./autosave";
import { type Readable, createValue } from "./value";

/** Which image comes next and why, and how this one is finished. */
export interface Flow {
  /** The images that wait, the next first; empty until they are known. */
  readonly upcoming: Readable<readonly QueueItem[]>;
  readonly progress: Readable<Queue["progress"] | null>;
  /** Submits the image once every box has its mask and everything is saved. The queue after it, or null if it was not submitted, which is said. */
  submit(): Promise<Queue | null>;
  /** Leaves the image for later, with a reason. The queue after it, or null. */
  skip(reason: string): Promise<Queue | null>;
  refresh(): Promise<void>;
  /** An image changed: its state is shown at once, and the queue is asked for soon if another may be next now. */
  hear(event: ImageEvent): void;
  /** Other images may be next now: asks soon, however often this is called. */
  stir(): void;
  stop(): void;
}

interface Parts {
  readonly imageId: string;
  readonly projectId: string;
  readonly tab: string;
  readonly autosave: Autosave;
  /** Rejects if a box gets no mask: the image must not go on without it unseen. */
  readonly finishBoxes: () => Promise<void>;
  readonly say: (words: string) => void;
  /** The image is done: undo begins anew when it is opened again. */
  readonly onSubmitted: () => Promise<void>;
}

/** A project where many people work brings much news. */
const STIR_MS = 2000;

/** The list with what the event says of one of its images. The same list if it says nothing of any. */
function withNews(items: readonly QueueItem[], { id, status, ...change }: ImageEvent): readonly QueueItem[] {
  if (!items.some(({ image }) => image.id === id)) return items;
  if (status === "deleted") return items.filter(({ image }) => image.id !== id);
  return items.map((item) => (item.image.id === id ? { ...item, image: { ...item.image, ...change, status: status ?? item.image.status } } : item));
}

export function createFlow({ imageId, projectId, tab, autosave, finishBoxes, say, onSubmitted }: Parts): Flow {
  const upcoming = createValue<readonly QueueItem[]>([]);
  const progress = createValue<Queue["progress"] | null>(null);
  let running = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const known = new Map<string, ImageEvent["status"]>();

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

  const refresh = async (): Promise<void> => void show(await queueGet(projectId, { after: imageId, session: tab }));
  const stir = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      // The list stays as it is until the next news.
      refresh().catch(() => undefined);
    }, STIR_MS);
  };

  return {
    upcoming,
    progress,
    submit: () =>
      once(async () => {
        await finishBoxes();
        await autosave.settled();
        const queue = await imageSubmit(imageId, autosave.revision, tab);
        await onSubmitted();
        return queue;
      }, explainSubmit),
    skip: (reason) =>
      once(
        async () => {
          await finishBoxes();
          await autosave.settled();
          return (await imageSkip(imageId, reason, tab)).queue;
        },
        (error) => Promise.resolve(say(`Not skipped. ${messageOf(error)}`)),
      ),
    refresh,
    stir,
    hear(event) {
      const { id, status } = event;
      const waits = upcoming.get().some(({ image }) => image.id === id);
      upcoming.set(withNews(upcoming.get(), event));
      if (status === undefined || (!waits && known.get(id) === status)) return;
      known.set(id, status);
      stir();
    },
    stop: () => clearTimeout(timer),
  };
}
