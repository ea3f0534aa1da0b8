import { useParams } from "wouter";

import { useUser } from "../session/useSession";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { LabelView } from "./LabelView";
import { NotReady } from "./NotReady";
import { useOpening } from "./useOpening";

/** The page of one image is keyed by it: nothing of one image may linger in another's page. */
export default function LabelPage() {
  const { imageId } = useParams<{ imageId: string }>();
  const { opening, retry } = useOpening(imageId, useUser());
  if (opening.kind === "loading") return <Loading what="the image" />;
  if (opening.kind === "failed") return <Failure error={opening.error} what="the image" retry={retry} />;
  if (opening.kind === "waiting") return <NotReady overview={opening.overview} />;
  return <LabelView key={opening.session.opened.image.id} session={opening.session} />;
}
