import { IconAlertTriangle, IconNote } from "@tabler/icons-react";
import { memo, type CSSProperties } from "react";
import { Link } from "wouter";

import type { Image } from "../../api/types";
import { counted, percent, whole } from "../format";
import { reasonFor } from "../upload/queue";
import { ImageMenu } from "./ImageMenu";
import styles from "./images.module.css";
import { canOpen } from "./openable";
import { StatusChip, statusWords } from "./StatusChip";

interface Props {
  image: Image;
  canEdit: boolean;
}

function Picture({ image }: { image: Image }) {
  const isSegmenting = image.status === "segmenting";
  const progress = Math.min(1, Math.max(0, image.progress ?? 0));
  return (
    <div className={styles.picture} style={{ "--progress": progress } as CSSProperties}>
      {image.thumbnail_url && <img src={image.thumbnail_url} alt="" loading="lazy" decoding="async" />}
      {image.outlines_url && !isSegmenting && <img src={image.outlines_url} alt="" loading="lazy" decoding="async" />}
      {isSegmenting && (
        <>
          <span className={styles.sweep} />
          <span className={styles.track} role="progressbar" aria-label={`Segmenting ${image.name}`} aria-valuenow={Math.round(progress * 100)} />
        </>
      )}
      {canOpen(image) && !isSegmenting && <span className={styles.open}>Open</span>}
    </div>
  );
}

function Figures({ image }: { image: Image }) {
  if (image.status === "failed" || !canOpen(image) || image.status === "segmenting") return null;
  return (
    <>
      {image.to_check > 0 && (
        <span className={styles.check} title={`${counted(image.to_check, "cell")} with a low score`}>
          <IconAlertTriangle size={14} stroke={1.8} aria-label="To check:" />
          {whole(image.to_check)}
        </span>
      )}
      {image.notes > 0 && (
        <span className={styles.notes} title={`${counted(image.notes, "open note")}`}>
          <IconNote size={14} stroke={1.8} aria-label="Notes:" />
          {whole(image.notes)}
        </span>
      )}
      <span className="t2">{counted(image.cells, "cell")}</span>
    </>
  );
}

/** One image of the grid. The whole picture opens it; the menu is its own target. */
export const ImageCard = memo(function ImageCard({ image, canEdit }: Props) {
  const opens = canOpen(image);
  return (
    <li className={styles.card} data-testid="image-card" data-name={image.name} data-status={image.status} data-progress={percent(image.progress ?? 0)}>
      {opens ? (
        <Link href={`/images/${image.id}`} className={styles.link} aria-label={`Open ${image.name}, ${statusWords(image)}`}>
          <Picture image={image} />
        </Link>
      ) : (
        <Picture image={image} />
      )}
      <div className={styles.caption}>
        <div className={styles.name}>
          <span className="ellipsis grow" title={image.name}>
            {image.name}
          </span>
          {image.split === "held_out" && (
            <span className="tiny t3" title={`Never used for training: versions are compared on it.${image.blind ? " Opens without outlines, so that it is labelled blind." : ""}`}>
              {image.blind ? "held out, blind" : "held out"}
            </span>
          )}
          <ImageMenu image={image} canEdit={canEdit} />
        </div>
        <div className={styles.facts}>
          <StatusChip image={image} />
          <span className="grow" />
          <Figures image={image} />
        </div>
        {image.status === "failed" && (
          <p className={styles.reason} title={image.error}>
            {reasonFor(image.name, image.error) || "No reason was recorded."}
          </p>
        )}
        {image.skip && (
          <p className={styles.reason} title={image.skip.reason}>
            Skipped{image.skip.by && ` by ${image.skip.by.name}`}: {image.skip.reason}
          </p>
        )}
        {image.status === "needs_channels" && (
          <p className={styles.reason}>{canEdit ? "Say which channel is which, at the right." : "Waits until an annotator says which channel is which."}</p>
        )}
      </div>
    </li>
  );
});
