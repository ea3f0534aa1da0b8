import { Button } from "@mantine/core";
import { IconCheck, IconHelpCircle, IconX } from "@tabler/icons-react";
import { useState } from "react";

import type { ModelVersion, Project, ProjectModel } from "../../api/types";
import { counted, score } from "../format";
import { canManage } from "../people/roles";
import { BeforeAfter } from "./BeforeAfter";
import { ConfirmActivation } from "./ConfirmActivation";
import { changesOf, groupsOf } from "./figures";
import styles from "./figures.module.css";
import { GateTable } from "./GateTable";
import cards from "./model.module.css";
import { SideBySide } from "./SideBySide";
import { comparedWith, earlierVersion, isPromotable, measuredVersion } from "./versions";

function Verdict({ version }: { version: ModelVersion }) {
  const outcome = version.evaluation?.gate.outcome;
  const Icon = outcome === "promoted" ? IconCheck : outcome === "not_enough_evidence" ? IconHelpCircle : IconX;
  return (
    <p className={styles.verdict} data-decision={outcome} data-testid="verdict">
      <Icon size={16} stroke={1.8} aria-hidden />
      <span>{version.reason || version.evaluation?.gate.reason}</span>
    </p>
  );
}

/** Promote the measured version by hand, or go back to the one before: each asks once. */
function Acts({ project, model, measured }: { project: Project; model: ProjectModel; measured: ModelVersion | undefined }) {
  const [asked, setAsked] = useState<ModelVersion | null>(null);
  const earlier = earlierVersion(model);
  const candidate = measured && isPromotable(measured) ? measured : null;
  if (!candidate && !earlier) return null;
  return (
    <div className={styles.acts}>
      {candidate && (
        <Button size="md" className="grow" variant={candidate.state === "rejected" ? "default" : "filled"} data-testid="promote" onClick={() => setAsked(candidate)}>
          Promote {candidate.name} by hand
        </Button>
      )}
      {earlier && (
        <Button size="md" variant="default" data-testid="roll-back" onClick={() => setAsked(earlier)}>
          Roll back to {earlier.name}
        </Button>
      )}
      <ConfirmActivation projectId={project.id} model={model} version={asked} onClose={() => setAsked(null)} />
    </div>
  );
}

/** All held-out images beside those that decide: the ones that were labelled with outlines in sight flatter whoever drew them. */
function Others({ version }: { version: ModelVersion }) {
  const all = version.evaluation?.all;
  if (!all || all.images <= (version.evaluation?.images ?? 0)) return null;
  return (
    <p className={styles.caption}>
      On all {counted(all.images, "held-out image")}, also those labelled with outlines in sight: F1 {score(all.active.f1)} → {score(all.candidate.f1)}. This does not decide.
    </p>
  );
}

function Measured({ model, version }: { model: ProjectModel; version: ModelVersion }) {
  const { evaluation } = version;
  const before = comparedWith(model, version);
  const basis = evaluation?.all ? "image labelled blind" : "held-out image";
  return (
    <>
      <div className={styles.plotHead}>
        <h2>F1 on held-out images</h2>
        <span className="small t2">95% interval</span>
      </div>
      <BeforeAfter changes={groupsOf(evaluation)} before={before} after={version.name} />
      <GateTable changes={changesOf(evaluation)} before={before} after={version.name} />
      <p className={styles.caption}>On {counted(evaluation?.images ?? 0, basis, basis.replace("image", "images"))} that neither version has trained on.</p>
      <Others version={version} />
      <Verdict version={version} />
    </>
  );
}

interface Props {
  project: Project;
  model: ProjectModel;
  /** The version whose figures the reader asked for; null: the newest that was measured. */
  chosen: string | null;
}

/** What one version would change: on an image, in figures, and in the gate's words. */
export function FiguresCard({ project, model, chosen }: Props) {
  const measured = measuredVersion(model, chosen);
  return (
    <section className={cards.card} data-column="right" aria-label="Before and after">
      <div className={styles.parts}>
        <SideBySide project={project} model={model} measured={measured} />
        <div className={styles.part}>
          {measured ? (
            <Measured model={model} version={measured} />
          ) : (
            <>
              <div className={styles.plotHead}>
                <h2>Before and after</h2>
              </div>
              <p className={cards.nothing}>After a training run, the active and the new version are compared here on images that neither has seen.</p>
            </>
          )}
        </div>
      </div>
      {canManage(project.role) && <Acts project={project} model={model} measured={measured} />}
    </section>
  );
}
