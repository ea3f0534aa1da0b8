import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { modelGet } from "../../api/model";
import type { Project } from "../../api/types";
import { canManage } from "../people/roles";
import { keys } from "../queries";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { FiguresCard } from "./FiguresCard";
import { LoopCard } from "./LoopCard";
import { LoopNotices } from "./LoopNotices";
import styles from "./model.module.css";
import { ModelHead } from "./ModelHead";
import { ProofCard } from "./ProofCard";
import { Runs } from "./Runs";
import { StillCorrect } from "./StillCorrect";
import { VersionTable } from "./VersionTable";

/** The loop of a project: what was corrected, what was learned from it, and whether that saved work. */
export function ModelPage({ project }: { project: Project }) {
  useDocumentTitle(`Model · ${project.name} · CellLoop`);
  const [chosen, setChosen] = useState<string | null>(null);
  const model = useQuery({ queryKey: keys.model(project.id), queryFn: () => modelGet(project.id) });
  if (model.isPending) return <Loading what="the model" />;
  if (!model.data) return <Failure error={model.error} what="the model" retry={() => void model.refetch()} />;
  return (
    <main className={styles.page}>
      <ModelHead project={project} model={model.data} />
      <LoopNotices model={model.data} />
      <LoopCard model={model.data} />
      <div className={styles.columns}>
        <div className={styles.left}>
          <VersionTable projectId={project.id} model={model.data} canManage={canManage(project.role)} onFigures={setChosen} />
          <div className={styles.pair}>
            <ProofCard project={project} model={model.data} />
            <StillCorrect model={model.data} />
          </div>
          <Runs model={model.data} onFigures={setChosen} />
        </div>
        <FiguresCard project={project} model={model.data} chosen={chosen} />
      </div>
    </main>
  );
}
