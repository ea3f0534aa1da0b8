import { useDocumentTitle } from "@mantine/hooks";
import { useState } from "react";
import { useSearchParams } from "wouter";

import type { Project } from "../../api/types";
import { canEdit } from "../people/roles";
import { FirstRun } from "../start/FirstRun";
import { Notice } from "../states/Notice";
import { DropAnywhere } from "../upload/DropAnywhere";
import { useUploadItems, useUploadQueue } from "../upload/UploadQueues";
import { FilterBar } from "./FilterBar";
import { filterOf, ORDERS } from "./filters";
import { ImageGrid } from "./ImageGrid";
import styles from "./images.module.css";
import { ProjectHead } from "./ProjectHead";
import { SideColumn } from "./SideColumn";

function Work({ project }: { project: Project }) {
  const [search, setSearch] = useSearchParams();
  const [order, setOrder] = useState(ORDERS[0].value);
  const filter = filterOf(search.get("show"));
  const choose = (key: string) => setSearch(key === "all" ? {} : { show: key }, { replace: true });
  return (
    <div className={styles.layout}>
      <main className={styles.main}>
        <ProjectHead project={project} />
        <FilterBar counts={project.counts} filter={filter.key} order={order} onFilter={choose} onOrder={setOrder} />
        <ImageGrid project={project} filter={filter} order={order} />
      </main>
      <SideColumn project={project} />
    </div>
  );
}

export function ImagesPage({ project }: { project: Project }) {
  useDocumentTitle(`${project.name} · CellLoop`);
  const queue = useUploadQueue(project.id);
  const uploads = useUploadItems(queue);
  const isEmpty = project.counts.total === 0 && uploads.length === 0;
  if (!canEdit(project.role)) {
    if (!isEmpty) return <Work project={project} />;
    return (
      <main>
        <Notice title="No images yet" detail="They appear here as soon as someone adds them." />
      </main>
    );
  }
  return (
    <DropAnywhere onFiles={queue.add}>
      {isEmpty ? <FirstRun onFiles={queue.add} model={project.active_version?.name ?? null} projectId={project.id} /> : <Work project={project} />}
    </DropAnywhere>
  );
}
