import { useQuery } from "@tanstack/react-query";
import { type ReactNode, Suspense } from "react";
import { Link, useRoute } from "wouter";

import { projectGet } from "../../api/projects";
import type { Project } from "../../api/types";
import { useProjectEvents } from "../live/useProjectEvents";
import { keys } from "../queries";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { ProjectSwitcher } from "./ProjectSwitcher";
import { QueueState } from "./QueueState";
import styles from "./shell.module.css";
import { TopBar } from "./TopBar";

const TABS = [
  { name: "Images", path: "" },
  { name: "Classes", path: "/classes" },
  { name: "Model", path: "/model" },
  { name: "People", path: "/people" },
  { name: "Export", path: "/export" },
];

function Tab({ name, href }: { name: string; href: string }) {
  const [active] = useRoute(href);
  return (
    <Link href={href} className={styles.tab} aria-current={active ? "page" : undefined}>
      {name}
    </Link>
  );
}

interface Props {
  projectId: string;
  children: (project: Project) => ReactNode;
}

/** The frame of a project's pages. It stays while the tabs change, and with it the live stream. */
export function ProjectShell({ projectId, children }: Props) {
  const project = useQuery({ queryKey: keys.project(projectId), queryFn: () => projectGet(projectId) });
  const connected = useProjectEvents(projectId, project.isSuccess);
  const base = `/projects/${projectId}`;
  const bar = project.data ? (
    <TopBar
      title={<ProjectSwitcher project={project.data} />}
      nav={
        <nav className={styles.nav} aria-label="Project">
          {TABS.map((tab) => (
            <Tab key={tab.name} name={tab.name} href={base + tab.path} />
          ))}
        </nav>
      }
      right={<QueueState project={project.data} connected={connected} />}
    />
  ) : (
    <TopBar title={<b className={styles.appName}>CellLoop</b>} />
  );
  return (
    <div className={styles.page}>
      {bar}
      <div className={styles.content}>
        {project.data ? (
          <Suspense fallback={<Loading what="page" />}>{children(project.data)}</Suspense>
        ) : (
          <main className={styles.state}>
            {project.isPending ? <Loading what="project" /> : <Failure error={project.error} what="the project" retry={() => void project.refetch()} />}
          </main>
        )}
      </div>
    </div>
  );
}
