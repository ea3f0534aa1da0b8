import type { ModelVersion, ProjectModel } from "../../api/types";
import { Confirm } from "../states/Confirm";
import { useModelActs } from "./useModelActs";
import { activationWord } from "./versions";

interface Props {
  projectId: string;
  model: ProjectModel;
  /** The one that is asked about; null: nobody asks. */
  version: ModelVersion | null;
  onClose: () => void;
}

const SERVES = "It labels every image that is opened from now on. Cells that a person touched stay as they are.";

/** A trunk of its own has features of its own: those must be there before it serves. */
function detailOf({ active }: ProjectModel, version: ModelVersion): string {
  const kept = version.state === "rejected" ? `The gate kept it out: ${version.reason} ` : "";
  const isOther = active !== null && active.trunk_hash !== version.trunk_hash;
  return kept + (isOther ? `The features of images at work are computed first; ${active.name} serves until they are there. ${SERVES}` : SERVES);
}

export function ConfirmActivation({ projectId, model, version, onClose }: Props) {
  const { activate } = useModelActs(projectId);
  const word = (version && activationWord(version)) ?? "Promote";
  return (
    <Confirm
      opened={version !== null}
      isDanger={false}
      title={`${word} ${version?.name ?? ""}?`}
      detail={version ? detailOf(model, version) : ""}
      act={`${word} ${version?.name ?? ""}`}
      onClose={onClose}
      onConfirm={() => version && activate.mutate(version)}
    />
  );
}
