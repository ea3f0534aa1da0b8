import { Button, UnstyledButton } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useLocation } from "wouter";

import { projectCreate, projectList } from "../../api/projects";
import type { Project } from "../../api/types";
import { keys } from "../queries";
import { PlainPage } from "../shell/PlainPage";
import { FirstRun } from "../start/FirstRun";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { complain } from "../states/messages";
import { DropAnywhere } from "../upload/DropAnywhere";
import { useUploadQueueOpener } from "../upload/UploadQueues";
import { NewProject } from "./NewProject";
import { ProjectCard } from "./ProjectCard";
import styles from "./projects.module.css";

function NoProjects({ onCreate }: { onCreate: () => void }) {
  const queryClient = useQueryClient();
  const [, navigate] = useLocation();
  const openQueue = useUploadQueueOpener();
  const { mutate } = useMutation({
    mutationFn: async (files: File[]) => ({ project: await projectCreate("First project"), files }),
    onSuccess: ({ project, files }) => {
      openQueue(project.id).add(files);
      void queryClient.invalidateQueries({ queryKey: keys.projects });
      navigate(`/projects/${project.id}`);
    },
    onError: (error) => complain("No project was created", error),
  });
  const start = useCallback((files: File[]) => files.length > 0 && mutate(files), [mutate]);
  return (
    <DropAnywhere onFiles={start}>
      <FirstRun onFiles={start} model={null} projectId={null}>
        <span>The files become your first project.</span>
        <UnstyledButton className={styles.textButton} onClick={onCreate} data-testid="new-project">
          Name a project first
        </UnstyledButton>
      </FirstRun>
    </DropAnywhere>
  );
}

function ProjectGrid({ projects, onCreate }: { projects: Project[]; onCreate: () => void }) {
  return (
    <main className={styles.page}>
      <div className={styles.head}>
        <h1 className="grow">Projects</h1>
        <Button size="md" leftSection={<IconPlus size={16} />} onClick={onCreate} data-testid="new-project">
          New project
        </Button>
      </div>
      <ul className={styles.grid}>
        {projects.map((project) => (
          <ProjectCard key={project.id} project={project} />
        ))}
      </ul>
    </main>
  );
}

export function ProjectsPage() {
  useDocumentTitle("Projects · CellLoop");
  const [isCreating, setCreating] = useState(false);
  const projects = useQuery({ queryKey: keys.projects, queryFn: projectList });
  const create = () => setCreating(true);
  return (
    <PlainPage>
      {!projects.data && (
        <main className={styles.state}>
          {projects.isPending ? <Loading what="projects" /> : <Failure error={projects.error} what="the projects" retry={() => void projects.refetch()} />}
        </main>
      )}
      {projects.data?.length === 0 && <NoProjects onCreate={create} />}
      {projects.data && projects.data.length > 0 && <ProjectGrid projects={projects.data} onCreate={create} />}
      <NewProject opened={isCreating} onClose={() => setCreating(false)} />
    </PlainPage>
  );
}
