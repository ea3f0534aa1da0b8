import { Button, Select } from "@mantine/core";
import { IconArrowsDiff, IconMaximize } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";

import type { Image, ModelVersion, Project, ProjectModel } from "../../api/types";
import { CompareStage } from "../compare/CompareStage";
import { comparePath, firstImage, firstVersions } from "../compare/choices";
import { useComparable } from "../compare/useComparable";
import { canEdit } from "../people/roles";
import styles from "./figures.module.css";
import cards from "./model.module.css";

interface Props {
  project: Project;
  model: ProjectModel;
  measured: ModelVersion | undefined;
}

/** The measured version beside the one that serves, else the two newest. */
function pairOf(model: ProjectModel, measured: ModelVersion | undefined): readonly [ModelVersion, ModelVersion] | null {
  const { active, versions } = model;
  if (measured && active && measured.id !== active.id) return [active, measured];
  const parent = measured && versions.find(({ id }) => id === measured.parent);
  return measured && parent ? [parent, measured] : firstVersions(model);
}

/** The model runs when it is asked to, not whenever the page opens: the thumbnail waits. */
function Stage({ image, versions }: { image: Image; versions: readonly [ModelVersion, ModelVersion] }) {
  const [asked, setAsked] = useState("");
  const wanted = [image.id, versions[0].id, versions[1].id].join();
  return (
    <div className={styles.stage}>
      {asked === wanted ? (
        <CompareStage imageId={image.id} versions={versions} look="outlines" />
      ) : (
        <>
          {image.thumbnail_url && <img src={image.thumbnail_url} alt="" />}
          <Button variant="default" leftSection={<IconArrowsDiff size={16} stroke={1.5} />} data-testid="compare-here" onClick={() => setAsked(wanted)}>
            Compare {versions[0].name} and {versions[1].name}
          </Button>
        </>
      )}
    </div>
  );
}

/** Two versions on one image, with a border between them; the whole window is one click away. */
export function SideBySide({ project, model, measured }: Props) {
  const mayCompare = canEdit(project.role);
  const images = useComparable(project.id, mayCompare);
  const [chosen, setChosen] = useState<string | null>(null);
  const versions = pairOf(model, measured);
  if (!mayCompare || !versions) return null;
  const found = images.data ?? [];
  const image = found.find(({ id }) => id === chosen) ?? firstImage(found);
  return (
    <div className={styles.part}>
      <header>
        <h2 className="grow ellipsis">
          {versions[0].name} and {versions[1].name} side by side
        </h2>
        {image && (
          <>
            <Select aria-label="Image to compare on" w={160} searchable data={found.map(({ id, name }) => ({ value: id, label: name }))} value={image.id} allowDeselect={false} onChange={setChosen} />
            <Link className={styles.wide} href={comparePath(project.id, { left: versions[0].id, right: versions[1].id, image: image.id })} aria-label="Compare in the whole window" data-testid="compare-wide">
              <IconMaximize size={16} stroke={1.5} />
            </Link>
          </>
        )}
      </header>
      {image ? (
        <Stage image={image} versions={versions} />
      ) : (
        images.isSuccess && <p className={cards.nothing}>Versions can be compared here on an image, once the model has seen one. Held-out images follow when they are submitted.</p>
      )}
    </div>
  );
}
