import { ActionIcon, Tooltip } from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconMaximize, IconMinus, IconPlus } from "@tabler/icons-react";
import { type CSSProperties, type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";

import type { ImageDetail, LabelSet } from "../../api/types";
import { type CellLook, type Comparison, createComparison } from "../../session/comparing";
import { counted, percent } from "../format";
import { useValue } from "../label/useValue";
import { Notice } from "../states/Notice";
import styles from "./compare.module.css";
import { MIDDLE, heldIn, sliderAfter } from "./slider";

interface Props {
  image: ImageDetail;
  /** The left side first. */
  sets: readonly [LabelSet, LabelSet];
  names: readonly [string, string];
  look: CellLook;
}

const ZOOM_STEP = 1.25;
const PAN_PX = 48;

const VIEW_KEYS: Readonly<Record<string, (comparison: Comparison) => void>> = {
  "+": ({ zoomBy }) => zoomBy(ZOOM_STEP),
  "=": ({ zoomBy }) => zoomBy(ZOOM_STEP),
  "-": ({ zoomBy }) => zoomBy(1 / ZOOM_STEP),
  "0": ({ fit }) => fit(),
  ArrowUp: ({ panBy }) => panBy(0, PAN_PX),
  ArrowDown: ({ panBy }) => panBy(0, -PAN_PX),
};

const ZOOMS = [
  { label: "Zoom in", key: "+", Icon: IconPlus },
  { label: "Zoom out", key: "-", Icon: IconMinus },
  { label: "Fit the image", key: "0", Icon: IconMaximize },
] as const;

/** Both pictures on top of each other; the upper one is cut at the border by CSS. */
function Pictures({ comparison, label }: { comparison: Comparison; label: string }) {
  const area = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const frame = area.current;
    if (!frame) return;
    const canvases = frame.querySelectorAll("canvas");
    const stops = [comparison.attach(1, canvases[0], canvases[1]), comparison.attach(0, canvases[2], canvases[3]), comparison.listen(frame)];
    const observer = new ResizeObserver(() => comparison.resize({ width: frame.clientWidth, height: frame.clientHeight }, window.devicePixelRatio));
    observer.observe(frame);
    return () => {
      observer.disconnect();
      for (const stop of stops) stop();
    };
  }, [comparison]);
  return (
    <div ref={area} className={styles.pictures} role="img" aria-label={label} tabIndex={-1}>
      <canvas />
      <canvas />
      <canvas data-upper />
      <canvas data-upper />
    </div>
  );
}

interface BorderProps {
  share: number;
  names: readonly [string, string];
  onMove: (share: number) => void;
}

function Border({ share, names, onMove }: BorderProps) {
  const follow = (event: PointerEvent<HTMLDivElement>) => {
    const frame = event.currentTarget.parentElement?.getBoundingClientRect();
    if (frame && event.currentTarget.hasPointerCapture(event.pointerId)) onMove(heldIn((event.clientX - frame.left) / frame.width));
  };
  return (
    <div
      className={styles.border}
      role="slider"
      tabIndex={0}
      data-testid="compare-slider"
      aria-label={`Border between ${names[0]} and ${names[1]}`}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-valuetext={`${percent(share)} ${names[0]}, ${percent(1 - share)} ${names[1]}`}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={follow}
    >
      <span aria-hidden>
        <IconChevronLeft size={14} stroke={2} />
        <IconChevronRight size={14} stroke={2} />
      </span>
    </div>
  );
}

/** Two versions on one image with a border between them. Arrow keys move the border, the rest is as on the labelling page. */
export function CompareViewer({ image, sets, names, look }: Props) {
  const comparison = useMemo(() => createComparison(image, sets), [image, sets]);
  const failure = useValue(comparison.failure);
  const [share, setShare] = useState(MIDDLE);
  useEffect(() => comparison.show(look), [comparison, look]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = sliderAfter(share, event.key, event.shiftKey);
    const act = VIEW_KEYS[event.key];
    if (next === null && !act) return;
    event.preventDefault();
    if (next !== null) setShare(next);
    else act(comparison);
  };

  if (failure) return <Notice tone="error" title="The picture cannot be drawn" detail={failure} />;
  return (
    <div className={styles.viewer} role="group" aria-label={`${names[0]} and ${names[1]} on ${image.name}`} data-testid="compare-viewer" style={{ "--share": `${share * 100}%` } as CSSProperties} onKeyDown={onKeyDown}>
      <Pictures comparison={comparison} label={`Picture of ${image.name} with the cells of both`} />
      <Border share={share} names={names} onMove={setShare} />
      {names.map((name, side) => (
        <p key={side} className={styles.name} data-side={side}>
          <b>{name}</b> <span data-testid={`compare-count-${side}`}>{counted(sets[side].cells.length, "cell")}</span>
        </p>
      ))}
      <div className={styles.zoom} role="group" aria-label="Zoom">
        {ZOOMS.map(({ label, key, Icon }) => (
          <Tooltip key={key} label={`${label}  ${key}`} position="left">
            <ActionIcon aria-label={label} onClick={() => VIEW_KEYS[key](comparison)}>
              <Icon size={16} stroke={1.5} />
            </ActionIcon>
          </Tooltip>
        ))}
      </div>
    </div>
  );
}
