import { IconAlertOctagon, IconArrowRight, IconBrush, IconClock, IconFileSearch, IconFocusCentered, IconSparkles, IconVectorTriangle } from "@tabler/icons-react";

import type { Image, ImageStatus } from "../../api/types";
import { percent } from "../format";
import styles from "./images.module.css";

const CHIPS: Record<ImageStatus, { word: string; Icon: typeof IconClock }> = {
  queued: { word: "Queued", Icon: IconClock },
  ingesting: { word: "Reading", Icon: IconFileSearch },
  needs_channels: { word: "Needs channels", Icon: IconVectorTriangle },
  segmenting: { word: "Segmenting", Icon: IconSparkles },
  ready: { word: "Ready", Icon: IconFocusCentered },
  in_progress: { word: "In progress", Icon: IconBrush },
  submitted: { word: "Submitted", Icon: IconArrowRight },
  failed: { word: "Failed", Icon: IconAlertOctagon },
};

export function statusWords(image: Pick<Image, "status" | "progress">): string {
  const { word } = CHIPS[image.status];
  return image.status === "segmenting" ? `${word} ${percent(image.progress ?? 0)}` : word;
}

export function StatusChip({ image }: { image: Pick<Image, "status" | "progress"> }) {
  const { Icon } = CHIPS[image.status];
  return (
    <span className={styles.chip} data-status={image.status}>
      <Icon size={14} stroke={1.8} aria-hidden />
      {statusWords(image)}
    </span>
  );
}
