import { Select } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { IconArrowLeft } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useLocation, useSearchParams } from "wouter";

import { modelGet } from "../../api/model";
import type { Image, Project, ProjectModel } from "../../api/types";
import { CELL_LOOKS, type CellLook } from "../../session/comparing";
import { Choice } from "../model/Choice";
import { canEdit } from "../people/roles";
import { keys } from "../queries";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { Notice } from "../states/Notice";
import { CompareStage } from "./CompareStage";
import { comparePath, firstImage, firstVersions } from "./choices";
import styles from "./compare.module.css";
import { useComparable } from "./useComparable";

const LOOK_NAMES: Readonly<Record<CellLook, string>> = { outlines: "Outlines", fill: "Filled", none: "No cells" };

interface Chosen {
  left: string;
  right: string;
  image: string;
}

interface BarProps {
  project: Project;
  model: ProjectModel;
  images: readonly Image[];
  chosen: Chosen;
  look: CellLook;
  onLook: (look: CellLook) => void;
}

function Bar({ project, model, images, chosen, look, onLook }: BarProps) {
  const [, navigate] = useLocation();
  const choose = (change: Partial<Chosen>) => navigate(comparePath(project.id, { ...chosen, ...change }), { replace: true });
  const versions = model.versions.filter((version) => version.state !== "failed").map((version) => ({ value: version.id, label: version.id === model.active?.id ? `${version.name}, active` : version.name }));
  const without = (id: string) => versions.filter(({ value }) => value !== id);
  // An image that came by its address may be none of those listed.
  const listed = images.map(({ id, name, split }) => ({ value: id, label: split === "held_out" ? `${name}, held out` : name }));
  const shown = listed.some(({ value }) => value === chosen.image) ? listed : [{ value: chosen.image, label: "This image" }, ...listed];
  return (
    <header className={styles.bar}>
      <Link href={`/projects/${project.id}/model`} className={styles.back} aria-label="Back to the model page">
        <IconArrowLeft size={18} stroke={1.5} />
      </Link>
      <h1>Compare</h1>
      <Select aria-label="Left version" data={without(chosen.right)} value={chosen.left} allowDeselect={false} onChange={(left) => left && choose({ left })} data-testid="compare-left" />
      <span className="t2">and</span>
      <Select aria-label="Right version" data={without(chosen.left)} value={chosen.right} allowDeselect={false} onChange={(right) => right && choose({ right })} data-testid="compare-right" />
      <span className="t2">on</span>
      <Select className={styles.image} aria-label="Image" searchable nothingFoundMessage="No such image" data={shown} value={chosen.image} allowDeselect={false} onChange={(image) => image && choose({ image })} data-testid="compare-image" />
      <span className="grow" />
      <Choice label="Cells" choices={CELL_LOOKS.map((value) => ({ value, label: LOOK_NAMES[value] }))} value={look} onChange={onLook} />
    </header>
  );
}

function Comparing({ project, model, images }: { project: Project; model: ProjectModel; images: readonly Image[] }) {
  const [search] = useSearchParams();
  const [look, setLook] = useState<CellLook>("outlines");
  const first = firstVersions(model);
  const find = (id: string | null) => model.versions.find((version) => version.id === id);
  const left = find(search.get("left")) ?? first?.[0];
  const right = find(search.get("right")) ?? first?.[1];
  const image = search.get("image") ?? firstImage(images)?.id;
  if (!left || !right || left.id === right.id) return <Notice title="There is one version so far" detail="After a training run, or after importing one, two versions can be compared here." />;
  if (!image) return <Notice title="No image can be compared yet" detail="Images appear here when the model has seen them; held-out images when they are submitted." />;
  return (
    <>
      <Bar project={project} model={model} images={images} chosen={{ left: left.id, right: right.id, image }} look={look} onLook={setLook} />
      <div className={styles.stage}>
        <CompareStage imageId={image} versions={[left, right]} look={look} />
      </div>
      <p className={styles.hints}>
        <span>
          <kbd>←</kbd> <kbd>→</kbd> move the border
        </span>
        <span>
          <kbd>Drag</kbd> pan
        </span>
        <span>
          <kbd>Wheel</kbd> <kbd>+</kbd> <kbd>−</kbd> zoom
        </span>
        <span>
          <kbd>0</kbd> fit
        </span>
        <span className="t3">Nothing is stored: both versions run on features that are kept.</span>
      </p>
    </>
  );
}

/** Two versions on one image, with a border between them that the reader moves. */
export function ComparePage({ project }: { project: Project }) {
  useDocumentTitle(`Compare versions · ${project.name} · CellLoop`);
  const mayCompare = canEdit(project.role);
  const model = useQuery({ queryKey: keys.model(project.id), queryFn: () => modelGet(project.id) });
  const images = useComparable(project.id, mayCompare);
  if (!mayCompare) return <Notice tone="locked" title="Viewers do not run models" detail="An annotator of this project can compare versions." />;
  if (model.isLoadingError) return <Failure error={model.error} what="the versions" retry={() => void model.refetch()} />;
  if (images.isLoadingError) return <Failure error={images.error} what="the images" retry={() => void images.refetch()} />;
  if (!model.data || !images.data) return <Loading what="the versions" />;
  return (
    <main className={styles.page}>
      <Comparing project={project} model={model.data} images={images.data} />
    </main>
  );
}
