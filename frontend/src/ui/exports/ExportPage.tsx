import { Button } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";

import type { Image, ImageStatus, Project } from "../../api/types";
import { counted, dayTime, whole } from "../format";
import { StatusChip } from "../images/StatusChip";
import { useImages } from "../images/useImages";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import table from "../theme/table.module.css";
import styles from "./exports.module.css";
import { useExport } from "./useExport";

const CHOICES: readonly { status: ImageStatus; name: string }[] = [
  { status: "submitted", name: "Submitted" },
  { status: "in_progress", name: "In progress" },
  { status: "ready", name: "Ready, not checked by a person" },
];

function ExportRow({ image }: { image: Image }) {
  const exported = useExport();
  const format = exported.isPending ? exported.variables.format : null;
  return (
    <tr data-testid="export-row" data-name={image.name}>
      <td>
        <div className={styles.image}>
          <div className={styles.thumb}>
            {image.thumbnail_url && <img src={image.thumbnail_url} alt="" loading="lazy" />}
            {image.outlines_url && <img src={image.outlines_url} alt="" loading="lazy" />}
          </div>
          <span className={styles.name} title={image.name}>
            {image.name}
          </span>
        </div>
      </td>
      <td>
        <StatusChip image={image} />
      </td>
      <td className="t2">{image.submitted_at && `${image.submitted_by ? `${image.submitted_by}, ` : ""}${dayTime(image.submitted_at)}`}</td>
      <td className={table.number}>{whole(image.cells)}</td>
      <td className={table.end}>
        <div className={styles.acts}>
          <Button variant="default" leftSection={<IconDownload size={14} />} loading={format === "label-tiff"} data-testid="export-label-tiff" onClick={() => exported.mutate({ image, format: "label-tiff" })}>
            Label TIFF
          </Button>
          <Button variant="default" leftSection={<IconDownload size={14} />} loading={format === "coco"} data-testid="export-coco" onClick={() => exported.mutate({ image, format: "coco" })}>
            COCO
          </Button>
        </div>
      </td>
    </tr>
  );
}

function ExportTable({ project, status }: { project: Project; status: ImageStatus }) {
  const images = useImages(project.id, status, "name");
  const shown = images.data?.pages.flatMap((page) => page.results) ?? [];
  if (images.isPending) return <Loading what="images" />;
  if (images.isError && shown.length === 0) return <Failure error={images.error} what="the images" retry={() => void images.refetch()} />;
  if (shown.length === 0) {
    return <p className={table.empty}>{status === "submitted" ? "No image is submitted yet. Labels can be exported before that too: choose another state above." : "No image is in this state."}</p>;
  }
  return (
    <>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Image</th>
            <th>State</th>
            <th>Submitted by</th>
            <th className={table.number}>Cells</th>
            <th>
              <span className="visually-hidden">Downloads</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((image) => (
            <ExportRow key={image.id} image={image} />
          ))}
        </tbody>
      </table>
      {images.hasNextPage && (
        <div className={table.more}>
          <Button variant="default" loading={images.isFetchingNextPage} onClick={() => void images.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

export function ExportPage({ project }: { project: Project }) {
  useDocumentTitle(`Export · ${project.name} · CellLoop`);
  const [status, setStatus] = useState(CHOICES[0].status);
  return (
    <main className={table.page}>
      <h1>Export</h1>
      <p className={table.lead}>{counted(project.counts.submitted, "image")} submitted. A file holds the labels of one image.</p>
      <section className={table.card}>
        <dl className={styles.formats}>
          <div>
            <dt>Label TIFF</dt>
            <dd>One integer per pixel: the cell&rsquo;s number, 0 for none. 16 bit, 32 bit past 65,535 cells. Where cells overlap it keeps one and says so.</dd>
          </div>
          <div>
            <dt>COCO</dt>
            <dd>JSON with one run-length mask per cell. Overlaps are kept.</dd>
          </div>
        </dl>
      </section>
      <section className={table.card} aria-label="Images to export">
        <div className={styles.choices} role="group" aria-label="Show images by state">
          {CHOICES.map((choice) => (
            <button key={choice.status} type="button" className={styles.choice} aria-pressed={choice.status === status} onClick={() => setStatus(choice.status)}>
              {choice.name}
            </button>
          ))}
        </div>
        <ExportTable project={project} status={status} />
      </section>
    </main>
  );
}
