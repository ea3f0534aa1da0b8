import { Button } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";

import { modelGet } from "../../api/model";
import type { Project } from "../../api/types";
import { counted, whole } from "../format";
import { canEdit } from "../people/roles";
import { keys } from "../queries";
import { complain, note } from "../states/messages";
import styles from "./images.module.css";
import { ProgressRing } from "./ProgressRing";
import { nextImageId } from "./useImages";

/** Enter on a focused link or button belongs to that link or button. */
function isFree(event: KeyboardEvent): boolean {
  return !(event.target instanceof Element && event.target.closest("a, button, [role=menu], [role=dialog], [role=listbox]"));
}

function NextTraining({ projectId }: { projectId: string }) {
  const model = useQuery({ queryKey: keys.model(projectId), queryFn: () => modelGet(projectId) });
  if (!model.data) return null;
  if (model.data.run) return <>, training now</>;
  const left = Math.max(0, model.data.corrections.threshold - model.data.corrections.since_last_run);
  return <>, next training after {counted(left, "correction")}</>;
}

export function ProjectHead({ project }: { project: Project }) {
  const [, navigate] = useLocation();
  const next = useMutation({
    mutationFn: () => nextImageId(project.id),
    onSuccess: (id) => (id === null ? note("Others have every image open that is ready to label.") : navigate(`/images/${id}`)),
    onError: (error) => complain("The next image did not open", error),
  });
  const { counts } = project;
  const open = counts.ready + counts.in_progress;
  const openNext = () => {
    if (open > 0 && !next.isPending) next.mutate();
  };
  useHotkeys([["Enter", (event) => isFree(event) && openNext(), { preventDefault: false }]]);

  return (
    <div className={styles.head}>
      <ProgressRing total={counts.total} submitted={counts.submitted} inProgress={counts.in_progress} />
      <div className="grow">
        <h1 className="ellipsis">{project.name}</h1>
        <div className={styles.meta}>
          <span>{counted(counts.total, "image")}</span>
          <span>{whole(counts.submitted)} submitted</span>
          <span>{counted(project.cells, "cell")}</span>
          {project.active_version && (
            <span>
              Model <b>{project.active_version.name}</b>
              <NextTraining projectId={project.id} />
            </span>
          )}
        </div>
      </div>
      <Button size="md" variant="default" component={Link} href={`/projects/${project.id}/export`}>
        Export
      </Button>
      <Button
        size="md"
        data-testid="label-next"
        onClick={openNext}
        disabled={open === 0}
        title={open === 0 ? "No image is ready to label yet" : undefined}
        rightSection={<kbd>Enter</kbd>}
      >
        {canEdit(project.role) ? "Label next image" : "Look at next image"}
      </Button>
    </div>
  );
}
