import { Link } from "wouter";

import type { Project } from "../../api/types";
import { counted, whole } from "../format";
import { ProgressRing } from "../images/ProgressRing";
import { ROLES } from "../people/roles";
import styles from "./projects.module.css";

export function ProjectCard({ project }: { project: Project }) {
  const { counts } = project;
  const waiting = counts.queued + counts.segmenting;
  const role = ROLES.find((candidate) => candidate.value === project.role);
  return (
    <li>
      <Link href={`/projects/${project.id}`} className={styles.card} data-testid="project-card" data-name={project.name}>
        <ProgressRing total={counts.total} submitted={counts.submitted} inProgress={counts.in_progress} />
        <div className="grow">
          <h2 className="ellipsis">{project.name}</h2>
          <p>
            {counts.total === 0 ? "No images yet" : `${counted(counts.total, "image")}, ${whole(counts.submitted)} submitted, ${counted(project.cells, "cell")}`}
          </p>
          <p className={styles.meta}>
            {project.active_version ? `Model ${project.active_version.name}` : "No model yet"}
            {waiting > 0 && ` · ${whole(waiting)} in queue`}
            {role && ` · ${role.name}`}
          </p>
          {counts.needs_channels > 0 && <p className={styles.look}>{counted(counts.needs_channels, "image needs", "images need")} channels</p>}
          {counts.failed > 0 && <p className={styles.failed}>{counted(counts.failed, "image")} failed</p>}
        </div>
      </Link>
    </li>
  );
}
