import type { QueryClient } from "@tanstack/react-query";

import type { ImageEvent } from "../../api/events";
import { keys } from "../queries";
import { mergeImage, removeImage, type ImagePages } from "./merge";

/** Folds an event into every list of the project's images that a page has asked for. False: the image is in none of them. */
export function showImage(queryClient: QueryClient, projectId: string, event: ImageEvent): boolean {
  let known = false;
  for (const [key, pages] of queryClient.getQueriesData<ImagePages>({ queryKey: keys.images(projectId) })) {
    const next = event.status === "deleted" ? removeImage(pages, event.id) : mergeImage(pages, event);
    if (next === pages) continue;
    known = true;
    queryClient.setQueryData(key, next);
  }
  return known;
}
