import { leaseLeave } from "../api/presence";
import type { User } from "../api/types";
import { createStore } from "../document/store";
import { createAutosave } from "./autosave";
import { newId } from "./ids";
import { imagesWaiting, openLocalStore, scopeOf } from "./localStore";
import { askLease, leftBehind } from "./openImage";
import { fetchCells, fetchImage } from "./requests";
import { tabSession } from "./tab";

const AGAIN_MS = 15_000;

/**
 * Sends what closed tabs left unsent on an image that nobody opens: without a page, by the same rules as with one. An image
 * that somebody edits now is left alone; its changes go on waiting. Tells whether none waits any more.
 */
async function sendFor(imageId: string, user: User, tab: string): Promise<boolean> {
  const local = await openLocalStore(scopeOf(user.id, imageId));
  // A page of this tab that was just left is still sending its own.
  const waiting = await leftBehind(imageId, local, null);
  const lease = waiting.length > 0 ? await askLease(imageId, user.id, tab, true) : null;
  if (!lease?.mine) {
    const left = await local.edits();
    local.close();
    if (lease) leaseLeave(imageId, tab);
    return left.length === 0;
  }
  const [image, cells, history] = await Promise.all([fetchImage(imageId), fetchCells(imageId), local.history()]);
  const store = createStore(image.width, image.height);
  store.apply({ added: cells.cells, updated: [], removed: [] }, "server");
  store.reserveLabels(cells.nextLabel);
  const silent = (): void => undefined;
  const autosave = createAutosave({
    imageId,
    tab,
    store,
    local,
    revision: cells.revision,
    newId,
    say: silent,
    rename: () => history,
    // What could not be applied is shown when the image is opened.
    onMeetings: (meetings) => {
      const lost = meetings.flatMap(({ words, lost: patch }) => (patch ? [{ id: newId(), words, patch, at: Date.now() }] : []));
      void local.addLeftovers(lost, []);
    },
    onLeftovers: silent,
    onLeaseLost: silent,
  });
  autosave.adopt(waiting);
  await autosave.retire();
  leaseLeave(imageId, tab);
  return true;
}

/** For the images of this user that have unsent changes in this browser, but `except`, one after the other. */
async function sendAll(user: User, except: string): Promise<boolean> {
  const tab = await tabSession();
  let done = true;
  for (const imageId of await imagesWaiting(user.id)) {
    if (imageId === except) continue;
    // One that is gone or closed to us must not hold up the others; its changes stay kept.
    done = (await sendFor(imageId, user, tab).catch(() => true)) && done;
  }
  return done;
}

/**
 * The same, again and again while some wait: a tab that was closed a moment ago may not count as closed yet, and somebody who
 * edits an image now leaves it later. Returns what ends it.
 */
export function sendElsewhere(user: User, except: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const turn = async (): Promise<void> => {
    const done = await sendAll(user, except).catch(() => true);
    if (!done && !ended) timer = setTimeout(() => void turn(), AGAIN_MS);
  };
  void turn();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
