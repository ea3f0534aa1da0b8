import { leaseLeave } from "../api/presence";
import type { User } from "../api/types";
import { createStore } from "../document/store";
import { createAutosave } from "./autosave";
import { newId } from "./ids";
import { imagesWaiting, openLocalStore, scopeOf } from "./localStore";
import { askLease, leftBehind } from "./openImage";
import { fetchCells, fetchImage } from "./requests";
import { tabSession } from "./tab";

/**
 * Sends what closed tabs left unsent on an image that nobody opens: without a page, by the same rules as with one. An image
 * that somebody edits now is left alone; its changes go on waiting.
 */
async function sendFor(imageId: string, user: User, tab: string): Promise<void> {
  const local = await openLocalStore(scopeOf(user.id, imageId));
  // A page of this tab that was just left is still sending its own.
  const waiting = await leftBehind(imageId, local, null);
  const lease = waiting.length > 0 ? await askLease(imageId, user.id, tab, true) : null;
  if (!lease?.mine) {
    local.close();
    if (lease) leaseLeave(imageId, tab);
    return;
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
}

/** For the images of this user that have unsent changes in this browser, but `except`, one after the other. */
export async function sendElsewhere(user: User, except: string | null): Promise<void> {
  const tab = await tabSession();
  for (const imageId of await imagesWaiting(user.id)) {
    // One that is gone or closed to us must not hold up the others; its changes stay kept.
    if (imageId !== except) await sendFor(imageId, user, tab).catch(() => undefined);
  }
}
