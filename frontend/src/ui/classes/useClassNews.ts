import { useQueryClient } from "@tanstack/react-query";

import { keys } from "../queries";

/** Asks for the classes and their counts anew: to be called after each change. */
export function useClassNews(projectId: string): () => void {
  const queryClient = useQueryClient();
  return () => {
    for (const queryKey of [keys.classes(projectId), keys.classCounts(projectId)]) void queryClient.invalidateQueries({ queryKey });
  };
}
