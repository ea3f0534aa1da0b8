import { useInfiniteQuery } from "@tanstack/react-query";

import { imagePage } from "../../api/images";
import type { Image, ImagePage } from "../../api/types";
import { keys } from "../queries";

/** Where a page begins: around an image, or after where another page ended. */
export type PagePlace = { readonly around: string } | { readonly cursor: string };

export const placeAfter = (page: ImagePage): PagePlace | null => (page.next === null ? null : { cursor: page.next });

/** The list only goes on forwards: what comes before a page is found around its first image. Null: that is the very first. */
export function placeBefore(page: ImagePage, place: PagePlace): PagePlace | null {
  const [first] = page.results;
  return first && "around" in place && first.id !== place.around ? { around: first.id } : null;
}

/** The images of all pages, each once: pages around an image overlap. */
export function imagesIn(pages: readonly ImagePage[]): Image[] {
  return [...new Map(pages.flatMap((page) => page.results).map((image) => [image.id, image])).values()];
}

/** The images around one, in the order in which they were added; more on either side when asked for. */
export function useNeighbours(projectId: string, imageId: string) {
  const query = useInfiniteQuery({
    queryKey: keys.filmstrip(projectId, imageId),
    queryFn: ({ pageParam }) => imagePage(projectId, { order: "created", ...pageParam }),
    initialPageParam: { around: imageId },
    getNextPageParam: placeAfter,
    getPreviousPageParam: (page, _pages, place) => placeBefore(page, place),
    placeholderData: (before) => before,
  });
  const { hasNextPage, hasPreviousPage, isFetching, fetchNextPage, fetchPreviousPage } = query;
  return {
    images: imagesIn(query.data?.pages ?? []),
    /** The images shown are those around this one, and not yet those around the one before. */
    settled: query.isSuccess && !query.isPlaceholderData,
    more(direction: 1 | -1): void {
      if (isFetching) return;
      if (direction === 1 && hasNextPage) void fetchNextPage();
      if (direction === -1 && hasPreviousPage) void fetchPreviousPage();
    },
  };
}
