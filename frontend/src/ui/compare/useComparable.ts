import { useQuery } from "@tanstack/react-query";

import { imagePage } from "../../api/images";
import type { Image, ImagePage } from "../../api/types";
import { keys } from "../queries";
import { isComparable } from "./choices";

/** Choosing from more than this is no choosing; any other image can be named in the address. */
const MOST_PAGES = 4;

/** Images of the project that may be compared on, by name. */
export function useComparable(projectId: string, enabled: boolean) {
  return useQuery({
    queryKey: keys.comparable(projectId),
    enabled,
    queryFn: async () => {
      const found: Image[] = [];
      let cursor: string | null = "";
      for (let pages = 0; pages < MOST_PAGES && cursor !== null; pages += 1) {
        const page: ImagePage = await imagePage(projectId, { order: "name", ...(cursor ? { cursor } : {}) });
        found.push(...page.results.filter(isComparable));
        cursor = page.next;
      }
      return found;
    },
  });
}
