import { useQuery } from "@tanstack/react-query";

import { versionsCompare } from "../../api/compare";
import { ApiError, isStatus, messageOf } from "../../api/errors";
import type { LabelSet } from "../../api/types";
import type { CellLook } from "../../session/comparing";
import { fetchImage } from "../../session/requests";
import { keys } from "../queries";
import { Failure } from "../states/Failure";
import { Notice } from "../states/Notice";
import { CompareViewer } from "./CompareViewer";

/** Features that are missing take a pass of the trunk, and the model may be busy: worth this many asks. */
const MOST_ASKS = 60;
const ASK_AGAIN_S = 2;

interface VersionName {
  id: string;
  name: string;
}

interface Props {
  imageId: string;
  versions: readonly [VersionName, VersionName];
  look: CellLook;
}

function pair(sets: LabelSet[]): readonly [LabelSet, LabelSet] {
  return [sets[0], sets[1]];
}

function useLabelSets(imageId: string, versions: Props["versions"]) {
  const ids = [versions[0].id, versions[1].id] as const;
  return useQuery({
    queryKey: keys.compared(imageId, ...ids),
    queryFn: async ({ signal }) => pair(await versionsCompare(imageId, ids, signal)),
    staleTime: Infinity,
    retry: (asks, error) => isStatus(error, 503) && asks < MOST_ASKS,
    retryDelay: (_, error) => 1_000 * ((error instanceof ApiError && error.retryAfter) || ASK_AGAIN_S),
  });
}

/** Asks the model and shows what came: waiting, refused and failed each have their words. */
export function CompareStage({ imageId, versions, look }: Props) {
  const image = useQuery({ queryKey: keys.image(imageId), queryFn: () => fetchImage(imageId) });
  const sets = useLabelSets(imageId, versions);
  if (image.isLoadingError) return <Failure error={image.error} what="the image" retry={() => void image.refetch()} />;
  if (isStatus(sets.error, 409, 429)) return <Notice tone="locked" title="This image cannot be compared now" detail={messageOf(sets.error)} action={{ label: "Try again", run: () => void sets.refetch() }} />;
  if (sets.isLoadingError) return <Failure error={sets.error} what="the comparison" retry={() => void sets.refetch()} />;
  if (!image.data || !sets.data) {
    const why = sets.failureReason ? messageOf(sets.failureReason) : "A few seconds on features that are there already.";
    return <Notice title={`${versions[0].name} and ${versions[1].name} look at the image`} detail={why} />;
  }
  return <CompareViewer key={versions[0].id + versions[1].id + imageId} image={image.data} sets={sets.data} names={[versions[0].name, versions[1].name]} look={look} />;
}
