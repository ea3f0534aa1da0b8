import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import type { ImageSession } from "../../session/imageSession";
import { showImage } from "../live/showImage";
import { keys } from "../queries";

/** Keeps lists of the project's images live by the stream that the session has open: browsers allow only few of them. */
export function useImageNews({ news, opened }: Pick<ImageSession, "news" | "opened">): void {
  const queryClient = useQueryClient();
  const project = opened.image.project;
  useEffect(
    () =>
      news.subscribe(() => {
        const { event } = news.get();
        if (event) showImage(queryClient, project, event);
        else void queryClient.invalidateQueries({ queryKey: keys.images(project) });
      }),
    [news, project, queryClient],
  );
}
