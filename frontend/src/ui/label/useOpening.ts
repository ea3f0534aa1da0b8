import { useEffect, useState } from "react";

import type { User } from "../../api/types";
import { listenToProject } from "../../session/events";
import { type ImageSession, createImageSession } from "../../session/imageSession";
import { type Overview, hasPixels, loadOverview, openImage } from "../../session/openImage";

export type Opening =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly error: unknown }
  /** There is no picture to show yet, and words say why. */
  | { readonly kind: "waiting"; readonly overview: Overview }
  | { readonly kind: "open"; readonly session: ImageSession };

/** Opens an image and closes it again; while it has no pixels yet, follows it live until it has. */
export function useOpening(imageId: string, user: User): { opening: Opening; retry: () => void } {
  const [opening, setOpening] = useState<Opening>({ kind: "loading" });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    let session: ImageSession | null = null;
    let stop: () => void = () => undefined;

    const load = async (): Promise<void> => {
      const overview = await loadOverview(imageId, user);
      if (!current) return;
      if (!hasPixels(overview.image)) {
        setOpening({ kind: "waiting", overview });
        stop();
        stop = listenToProject(overview.project.id, {
          onConnect: () => undefined,
          onModel: () => undefined,
          onImage: (news) => {
            if (news.id === imageId) start();
          },
        });
        return;
      }
      stop();
      const opened = await openImage(overview);
      if (!current) {
        opened.local?.close();
        return;
      }
      session = createImageSession(opened);
      setOpening({ kind: "open", session });
    };
    const start = (): void => {
      load().catch((error: unknown) => {
        if (current) setOpening({ kind: "failed", error });
      });
    };
    start();
    return () => {
      current = false;
      stop();
      session?.dispose();
    };
  }, [imageId, user, attempt]);

  return { opening, retry: () => setAttempt(attempt + 1) };
}
