import { Button } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { modelGet } from "../../api/model";
import type { Project, ProjectModel } from "../../api/types";
import { canManage } from "../people/roles";
import { keys } from "../queries";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { Comparison } from "./Comparison";
import { LoopCard } from "./LoopCard";
import styles from "./model.module.css";
import { Runs } from "./Runs";
import { ScheduleForm } from "./ScheduleForm";
import { StillCorrect } from "./StillCorrect";
import { useModelActs } from "./useModelActs";
import { VersionTable } from "./VersionTable";

function summaryOf(model: ProjectModel): string {
  const active = model.active ? `${model.active.name} is labelling now.` : "No version is active.";
  return model.run ? `${active} The next one is training.` : active;
}

function Head({ project, model }: { project: Project; model: ProjectModel }) {
  const { train } = useModelActs(project.id);
  const [isOpen, setOpen] = useState(false);
  return (
    <div className={styles.head}>
      <h1>Model</h1>
      <span className="grow t2">{summaryOf(model)}</span>
      {canManage(project.role) && (
        <>
          <Button size="md" variant="default" onClick={() => setOpen(true)} data-testid="schedule">
            Schedule
          </Button>
          <Button
            size="md"
            data-testid="train-now"
            loading={train.isPending}
            disabled={model.run !== null}
            title={model.run ? "A run is on already" : undefined}
            onClick={() => train.mutate()}
          >
            Train now
          </Button>
          <ScheduleForm project={project} opened={isOpen} onClose={() => setOpen(false)} />
        </>
      )}
    </div>
  );
}

export function ModelPage({ project }: { project: Project }) {
  useDocumentTitle(`Model · ${project.name} · CellLoop`);
  const model = useQuery({ queryKey: keys.model(project.id), queryFn: () => modelGet(project.id) });
  if (model.isPending) return <Loading what="the model" />;
  if (!model.data) return <Failure error={model.error} what="the model" retry={() => void model.refetch()} />;
  const mayManage = canManage(project.role);
  return (
    <main className={styles.page}>
      <Head project={project} model={model.data} />
      <LoopCard project={project} model={model.data} />
      <div className={styles.columns}>
        <div className={styles.left}>
          <VersionTable projectId={project.id} model={model.data} canManage={mayManage} />
          <div className={styles.pair}>
            <StillCorrect model={model.data} />
            <Runs model={model.data} />
          </div>
        </div>
        <Comparison projectId={project.id} model={model.data} canManage={mayManage} />
      </div>
    </main>
  );
}
