/** The uploads of every project opened in this tab. They live above the pages: changing the tab stops nothing. */
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { useQueryClient, type QueryClient } from "@tanstack/react-query";

import { isStatus, messageOf } from "../../api/errors";
import { imageDelete } from "../../api/images";
import { imageUpload } from "../../api/upload";
import { createRefetcher } from "../live/refetcher";
import { keys } from "../queries";
import { createUploadQueue, summarize, type SendOptions, type UploadItem, type UploadQueue } from "./queue";

type Registry = Map<string, UploadQueue>;

const Uploads = createContext<((projectId: string) => UploadQueue) | null>(null);

function queueFor(projectId: string, queryClient: QueryClient): UploadQueue {
  const refetcher = createRefetcher((queryKey) => void queryClient.invalidateQueries({ queryKey }));
  async function send(file: File, { replaces, ...options }: SendOptions) {
    if (replaces !== null) {
      await imageDelete(replaces).catch((error: unknown) => {
        if (!isStatus(error, 404)) throw error;
      });
    }
    const image = await imageUpload(projectId, file, options);
    refetcher.ask(keys.images(projectId));
    refetcher.ask(keys.project(projectId));
    return image;
  }
  return createUploadQueue({ send, describe: messageOf });
}

function warnBeforeLeaving(registry: Registry) {
  return (event: BeforeUnloadEvent) => {
    for (const queue of registry.values()) if (summarize(queue.items()).open > 0) event.preventDefault();
  };
}

export function UploadQueues({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const [registry] = useState<Registry>(() => new Map());
  const [open] = useState(() => (projectId: string) => {
    const known = registry.get(projectId);
    if (known) return known;
    const queue = queueFor(projectId, queryClient);
    registry.set(projectId, queue);
    return queue;
  });
  useEffect(() => {
    const warn = warnBeforeLeaving(registry);
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [registry]);
  return <Uploads value={open}>{children}</Uploads>;
}

export function useUploadQueue(projectId: string): UploadQueue {
  const open = useContext(Uploads);
  if (open === null) throw new Error("useUploadQueue outside of UploadQueues");
  return open(projectId);
}

/** The opener itself, for the first-run page that has no project before the files come. */
export function useUploadQueueOpener(): (projectId: string) => UploadQueue {
  const open = useContext(Uploads);
  if (open === null) throw new Error("useUploadQueueOpener outside of UploadQueues");
  return open;
}

export function useUploadItems(queue: UploadQueue): readonly UploadItem[] {
  return useSyncExternalStore(queue.subscribe, queue.items);
}
