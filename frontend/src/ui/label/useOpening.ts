import { useEffect, useRef, useState } from "react";

import type { User } from "../../api/types";
import { listenToProject } from "../../session/events";
import { type ImageSession, createImageSession } from "../../session/imageSession";
import { type Overview, closeOpened, hasPixels, loadOverview, openImage } from "../../session/openImage";

export type Opening =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly error: unknown }
  /** There is no picture to show yet, and words say why. */
  | { readonly kind: "waiting"; readonly overview: Overview }
  | { readonly kind: "open"; readonly session: ImageSession };

/**
 * Opens an image and closes it again; while it has no pixels yet, follows it live until it has. The image before stays on the
 * page, and can be changed, until the next one is there: going through frames shows no empty page.
 */
export function useOpening(imageId: string, user: User): { opening: Opening; retry: () => void } {
  const [opening, setOpening] = useState<Opening>({ kind: "loading" });
  const [attempt, setAttempt] = useState(0);
  const shown = useRef<ImageSession | null>(null);

  useEffect(() => {
    let current = true;
    let stop: (() => void) | null = null;
    let looking = false;
    let again = false;
    const show = (next: Opening): void => {
      setOpening(next);
      if (next.kind === "open") shown.current = next.session;
    };
    const closeShown = (): void => {
      shown.current?.dispose();
      shown.current = null;
    };

    const load = async (): Promise<void> => {
      const overview = await loadOverview(imageId, user);
      if (!current) return;
      if (!hasPixels(overview.image)) {
        closeShown();
        show({ kind: "waiting", overview });
        stop ??= listenToProject(overview.project.id, {
          // It may have been read before anything could be heard.
          onConnect: look,
          onModel: () => undefined,
          onImage: (news) => {
            if (news.id === imageId) look();
          },
        });
        return;
      }
      stop?.();
      again = false;
      const opened = await openImage(overview);
      if (!current) {
        closeOpened(opened);
        return;
      }
      closeShown();
      show({ kind: "open", session: createImageSession(opened) });
    };
    /** One look at a time, or the image could be opened twice: news that come during one ask for another. */
    const look = (): void => {
      again = looking;
      if (looking) return;
      looking = true;
      load()
        .catch((error: unknown) => {
          if (!current) return;
          closeShown();
          show({ kind: "failed", error });
        })
        .finally(() => {
          looking = false;
          if (again && current) look();
        });
    };
    look();
    return () => {
      current = false;
      stop?.();
    };
  }, [imageId, user, attempt]);

  useEffect(
    () => () => {
      shown.current?.dispose();
      shown.current = null;
    },
    [],
  );

  return { opening, retry: () => setAttempt(attempt + 1) };
}
