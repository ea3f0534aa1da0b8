import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";

import { imageDelete, imagePage, imageSegment, type ImageOrder } from "../../api/images";
import { queueGet } from "../../api/queue";
import type { Image, ImageStatus } from "../../api/types";
import { tabSession } from "../../session/tab";
import { removeImage, type ImagePages } from "../live/merge";
import { keys } from "../queries";
import { complain, say } from "../states/messages";

export function useImages(projectId: string, status: ImageStatus | "", order: ImageOrder) {
  return useInfiniteQuery({
    queryKey: keys.imageList(projectId, status, order),
    queryFn: ({ pageParam }) => imagePage(projectId, { order, ...(status ? { status } : {}), ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    // The old grid stays until the new one is there: no flash of emptiness between filters.
    placeholderData: (previous) => previous,
  });
}

/** The image that a person should open next: the first of the queue that the labelling page goes by. Null: none waits for people. */
export async function nextImageId(projectId: string): Promise<string | null> {
  const { next } = await queueGet(projectId, { session: await tabSession() });
  return next?.image.id ?? null;
}

export function useImageActs(projectId: string) {
  const queryClient = useQueryClient();
  const refresh = () => {
    void queryClient.invalidateQueries({ queryKey: keys.images(projectId) });
    void queryClient.invalidateQueries({ queryKey: keys.project(projectId) });
  };
  const remove = useMutation({
    mutationFn: (image: Image) => imageDelete(image.id),
    onSuccess: (_, image) => {
      queryClient.setQueriesData<ImagePages>({ queryKey: keys.images(projectId) }, (pages) => removeImage(pages, image.id));
      say(`${image.name} deleted`);
      refresh();
    },
    onError: (error, image) => complain(`${image.name} is still here`, error),
  });
  const segment = useMutation({
    mutationFn: (image: Image) => imageSegment(image.id),
    onSuccess: (_, image) => {
      say(`${image.name} is in the queue`);
      refresh();
    },
    onError: (error, image) => complain(`${image.name} was not queued`, error),
  });
  return { remove, segment };
}
