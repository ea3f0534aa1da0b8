import { useQuery } from "@tanstack/react-query";

import { modelGet } from "../../api/model";
import type { Project } from "../../api/types";
import { canEdit } from "../people/roles";
import { keys } from "../queries";
import { DropZone } from "../upload/DropZone";
import { UploadPanel } from "../upload/UploadPanel";
import { useUploadQueue } from "../upload/UploadQueues";
import { ChannelMapPanel } from "./ChannelMapPanel";
import styles from "./images.module.css";
import { SoFar } from "./SoFar";
import { TrainingPanel } from "./TrainingPanel";

/** At the right of the grid: what goes in, what waits for an answer, what the model does. */
export function SideColumn({ project }: { project: Project }) {
  const queue = useUploadQueue(project.id);
  const model = useQuery({ queryKey: keys.model(project.id), queryFn: () => modelGet(project.id) });
  return (
    <aside className={styles.side} aria-label="Uploads and training">
      {canEdit(project.role) && <DropZone onFiles={queue.add} />}
      {/* Before the uploads: a long list of refused files must not hide the question that images wait for. */}
      <ChannelMapPanel project={project} />
      <UploadPanel queue={queue} />
      {model.data && <TrainingPanel project={project} model={model.data} />}
      {model.data && <SoFar project={project} model={model.data} />}
    </aside>
  );
}
