import { ApiError } from "../api/errors";
import type { ImageDetail } from "../api/types";
import type { ImageSession } from "./imageSession";
import { postSubmit } from "./requests";

/** Submits the image once everything is saved, then calls `onDone`. Pressing twice submits once. */
export function createSubmission(session: ImageSession, onDone: (image: ImageDetail) => void): () => void {
  let running = false;

  const submit = async (): Promise<void> => {
    await session.autosave.settled();
    await postSubmit(session.opened.image.id, session.autosave.revision);
    onDone(session.image.get());
  };
  const explain = async (error: unknown): Promise<void> => {
    if (error instanceof ApiError && error.status === 409) {
      await session.autosave.catchUp().catch(() => undefined);
      session.say("Not submitted: someone else changed this image. Look at it again, then submit.");
    } else {
      session.say(`Not submitted. ${error instanceof Error ? error.message : ""} Your changes are kept.`);
    }
  };

  return () => {
    if (running) return;
    running = true;
    void submit()
      .catch(explain)
      .finally(() => {
        running = false;
      });
  };
}
