/** One query client and one place for the cache's keys. */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

import { ApiError, isStatus } from "../api/errors";

export const keys = {
  session: ["session"] as const,
  tokens: ["tokens"] as const,
  projects: ["projects"] as const,
  project: (id: string) => ["project", id] as const,
  images: (id: string) => ["images", id] as const,
  imageList: (id: string, status: string, order: string) => ["images", id, status, order] as const,
  image: (id: string) => ["image", id] as const,
  comparable: (id: string) => ["comparable", id] as const,
  compared: (image: string, left: string, right: string) => ["compared", image, left, right] as const,
  filmstrip: (id: string, image: string) => ["images", id, "filmstrip", image] as const,
  cellHistory: (image: string, cell: string, revision: number) => ["cell-history", image, cell, revision] as const,
  classes: (id: string) => ["classes", id] as const,
  classCounts: (id: string) => ["class-counts", id] as const,
  members: (id: string) => ["members", id] as const,
  model: (id: string) => ["model", id] as const,
};

export function createQueryClient(): QueryClient {
  // An expired session shows as a 401 somewhere: asking who is logged in leads to the login page.
  const onError = (error: unknown) => {
    if (isStatus(error, 401)) void queryClient.invalidateQueries({ queryKey: keys.session });
  };
  const queryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // What the server decided (4xx) does not change by asking again.
        retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 2,
        // The browser's own "offline" flag is wrong on lab networks; a request tells the truth.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
  return queryClient;
}
