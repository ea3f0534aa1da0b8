import { useMutation, useQueryClient } from "@tanstack/react-query";

import { trainingCancel, trainingStart, versionActivate } from "../../api/model";
import type { ModelVersion } from "../../api/types";
import { keys } from "../queries";
import { complain, say } from "../states/messages";

export function useModelActs(projectId: string) {
  const queryClient = useQueryClient();
  const refresh = () => {
    for (const queryKey of [keys.model(projectId), keys.project(projectId)]) void queryClient.invalidateQueries({ queryKey });
  };
  const train = useMutation({
    mutationFn: () => trainingStart(projectId),
    onSuccess: () => say("Training is in the queue"),
    onError: (error) => complain("Training did not start", error),
    onSettled: refresh,
  });
  const stop = useMutation({
    mutationFn: (runId: string) => trainingCancel(runId),
    onSuccess: () => say("Training stops at its next step"),
    onError: (error) => complain("Training goes on", error),
    onSettled: refresh,
  });
  const activate = useMutation({
    mutationFn: (version: ModelVersion) => versionActivate(projectId, version.id),
    onSuccess: ({ active }, { id, name }) => say(active?.id === id ? `${name} labels from now on` : `${name} labels as soon as its features are computed`),
    onError: (error, version) => complain(`${version.name} was not made active`, error),
    onSettled: refresh,
  });
  return { train, stop, activate };
}
