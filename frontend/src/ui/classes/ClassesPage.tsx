import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";

import { classCounts, classList } from "../../api/classes";
import type { Project } from "../../api/types";
import { counted } from "../format";
import { canManage } from "../people/roles";
import { keys } from "../queries";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import table from "../theme/table.module.css";
import { AddClass } from "./AddClass";
import styles from "./classes.module.css";
import { ClassRow } from "./ClassRow";

function ClassTable({ project }: { project: Project }) {
  const classes = useQuery({ queryKey: keys.classes(project.id), queryFn: () => classList(project.id) });
  const counts = useQuery({ queryKey: keys.classCounts(project.id), queryFn: () => classCounts(project.id) });
  const manages = canManage(project.role);
  if (classes.isPending) return <Loading what="classes" />;
  if (classes.isLoadingError) return <Failure error={classes.error} what="the classes" retry={() => void classes.refetch()} />;
  const cells = new Map(counts.data?.map(({ class_id, cells: count }) => [class_id, count]));
  const without = cells.get(null) ?? 0;
  return (
    <>
      {manages && <AddClass projectId={project.id} classes={classes.data} />}
      {classes.data.length === 0 ? (
        <p className={table.empty}>{manages ? "No classes yet. Cells need none; add some where kinds of cells matter." : "No classes yet. An admin of this project can add some."}</p>
      ) : (
        <table className={table.table}>
          <thead>
            <tr>
              <th scope="col">Colour</th>
              <th scope="col">Name</th>
              <th scope="col">Key</th>
              <th scope="col" className={table.number}>
                Cells
              </th>
              <th scope="col">
                <span className="visually-hidden">Acts</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {classes.data.map((cellClass, index) => (
              <ClassRow key={cellClass.id} project={project} classes={classes.data} index={index} cells={cells.get(cellClass.id) ?? 0} />
            ))}
          </tbody>
        </table>
      )}
      {counts.data && without > 0 && <p className={styles.without}>{counted(without, "cell has", "cells have")} no class.</p>}
    </>
  );
}

/** The project's ontology: which kinds of cells there are, how they look and which digit gives them. */
export function ClassesPage({ project }: { project: Project }) {
  useDocumentTitle(`Classes · ${project.name} · CellLoop`);
  return (
    <main className={table.page}>
      <h1>Classes</h1>
      <p className={table.lead}>Kinds of cells that people tell apart here. While labelling, a digit gives a class to the selected cells and to new ones.</p>
      <section className={table.card} aria-label="Classes">
        <ClassTable project={project} />
      </section>
    </main>
  );
}
