import { Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";

import type { Project, ProjectModel } from "../../api/types";
import { comparePath, firstVersions } from "../compare/choices";
import { canEdit, canManage } from "../people/roles";
import { LoopSettingsForm } from "./LoopSettingsForm";
import styles from "./model.module.css";
import { useModelActs } from "./useModelActs";

function summaryOf({ active, run, pending }: ProjectModel): string {
  const now = active ? `${active.name} is labelling now.` : "No version is active.";
  if (pending) return `${now} ${pending.version.name} follows.`;
  return run ? `${now} The next one is training.` : now;
}

export function ModelHead({ project, model }: { project: Project; model: ProjectModel }) {
  const { train } = useModelActs(project.id);
  const [isOpen, setOpen] = useState(false);
  const versions = firstVersions(model);
  const { can_start: canStart, reason } = model.training;
  return (
    <div className={styles.head}>
      <h1>Model</h1>
      <span className="grow t2">{summaryOf(model)}</span>
      {canEdit(project.role) && versions && (
        <Button size="md" variant="default" component={Link} href={comparePath(project.id, { left: versions[0].id, right: versions[1].id })} data-testid="compare">
          Compare
        </Button>
      )}
      <Button size="md" variant="default" onClick={() => setOpen(true)} data-testid="loop-settings">
        Loop settings
      </Button>
      {canManage(project.role) && (
        <Button size="md" data-testid="train-now" loading={train.isPending} disabled={!canStart} title={canStart ? undefined : reason} aria-describedby={canStart ? undefined : "train-off"} onClick={() => train.mutate()}>
          Train now
        </Button>
      )}
      {!canStart && (
        <span id="train-off" className="visually-hidden">
          {reason}
        </span>
      )}
      <LoopSettingsForm project={project} settings={model.settings} opened={isOpen} onClose={() => setOpen(false)} />
    </div>
  );
}
