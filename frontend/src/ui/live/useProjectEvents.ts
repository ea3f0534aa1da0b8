import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { projectEvents, type ProjectEvent } from "../../api/events";
import type { Project, ProjectModel } from "../../api/types";
import { keys } from "../queries";
import { useUploadQueue } from "../upload/UploadQueues";
import { mergeCounts, mergeJob } from "./merge";
import { createRefetcher } from "./refetcher";
import { showImage } from "./showImage";

/** Words like "offline" wait this long: a stream that reopens at once is no news. */
const PATIENCE_MS = 3_000;

/** What is asked for anew after events that bring no data with them. Only what a page shows is really asked for. */
const STALE = {
  model: (id: string) => [keys.model(id), keys.project(id)],
  edit: (id: string) => [keys.classCounts(id)],
  classes: (id: string) => [keys.classes(id), keys.classCounts(id)],
} as const;

/** Keeps the project's cached answers live. Returns false when the stream has been down for a while. */
export function useProjectEvents(projectId: string, enabled: boolean): boolean {
  const queryClient = useQueryClient();
  const uploads = useUploadQueue(projectId);
  const [connected, setConnected] = useState(true);

  useEffect(() => {
    if (!enabled) return;
    let opened = false;
    let patience: ReturnType<typeof setTimeout> | undefined;
    const refetcher = createRefetcher((queryKey) => void queryClient.invalidateQueries({ queryKey }));

    function onEvent(event: ProjectEvent) {
      if (event.type === "state") {
        queryClient.setQueryData<Project>(keys.project(projectId), (project) => mergeCounts(project, event.counts));
      } else if (event.type === "image") {
        const known = showImage(queryClient, projectId, event.image);
        if (!known) refetcher.ask(keys.images(projectId));
        if (event.image.status === "failed") uploads.reject(event.image.id, event.image.error ?? "");
        if (event.image.status !== "segmenting" || !known) refetcher.ask(keys.project(projectId));
        if (event.image.status === "submitted") refetcher.ask(keys.model(projectId));
      } else if (event.type === "job") {
        const shown = queryClient.getQueryData<ProjectModel>(keys.model(projectId));
        const next = mergeJob(shown, event.job);
        if (next !== shown) queryClient.setQueryData(keys.model(projectId), next);
        // Features for a version that waits for them: how many are done is part of the model's answer.
        else if (event.job.kind === "train" || (event.job.kind === "embed" && shown?.pending)) refetcher.ask(keys.model(projectId));
      } else if (event.type === "note") {
        showImage(queryClient, projectId, { id: event.image, notes: event.open });
      } else {
        for (const key of STALE[event.type](projectId)) refetcher.ask(key);
      }
    }

    const close = projectEvents(projectId, {
      onEvent,
      onConnection(open) {
        clearTimeout(patience);
        if (!open) {
          patience = setTimeout(() => setConnected(false), PATIENCE_MS);
          return;
        }
        setConnected(true);
        // What happened while the stream was down was said to nobody: ask again.
        if (opened) for (const key of [keys.images(projectId), ...STALE.model(projectId), ...STALE.classes(projectId)]) refetcher.ask(key);
        opened = true;
      },
    });
    return () => {
      clearTimeout(patience);
      refetcher.stop();
      close();
    };
  }, [enabled, projectId, queryClient, uploads]);

  return connected;
}
