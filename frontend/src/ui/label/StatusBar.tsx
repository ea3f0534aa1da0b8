import { ActionIcon, Tooltip } from "@mantine/core";
import { IconLayoutBottombar, IconLayoutBottombarFilled } from "@tabler/icons-react";

import type { ImageSession } from "../../session/imageSession";
import styles from "./statusBar.module.css";
import { useShown } from "./useShown";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
}

function Place({ session }: Props) {
  const at = useValue(session.view.pointer);
  const looks = useValue(session.view.channels);
  const { pixel_size_um: size, channels } = session.opened.image;
  const cell = at?.making ? "new" : at?.label ? `#${at.label}` : "–";
  return (
    <>
      <span className={styles.place} data-testid="status-place">
        <b>{at ? `${at.x}, ${at.y}` : "–"}</b> px
      </span>
      {size !== null && (
        <span className={`${styles.place} ${styles.wide}`}>
          <b>{at ? `${(at.x * size).toFixed(1)}, ${(at.y * size).toFixed(1)}` : "–"}</b> µm
        </span>
      )}
      <span className={styles.samples} data-testid="status-samples">
        {channels.slice(0, 4).map(({ name }, index) => (
          <span key={name}>
            <i style={{ background: `rgb(${looks[index].color.join(" ")})` }} />
            <em className="ellipsis">{name}</em> <b>{at?.samples[index] ?? "–"}</b>
          </span>
        ))}
      </span>
      <span className={styles.cell} data-testid="status-cell">
        Cell <b>{cell}</b>
      </span>
    </>
  );
}

function Zoom({ session }: Props) {
  const { zoom } = useValue(session.view.camera);
  return (
    <span className={styles.zoom} data-testid="status-zoom">
      <b>{Math.round(zoom * 100)}</b>%
    </span>
  );
}

function Hints({ session }: Props) {
  // What a key does now follows the tool, the selection, the gesture, which moves the pointer, and boxes that
  // came back or failed, which is said.
  const tool = useValue(session.tool);
  useValue(session.selection);
  useValue(session.view.pointer);
  useValue(session.decoder.state);
  useValue(session.notice);
  return (
    <span className={styles.hints}>
      {session.tools[tool].hints.map(({ keys, does }) => (
        <span key={keys}>
          <kbd>{keys}</kbd>
          {does}
        </span>
      ))}
    </span>
  );
}

function Model({ session }: Props) {
  const name = useValue(session.model)?.name ?? null;
  const { inFlight, slow, lastMs } = useValue(session.decoder.state);
  const busy = slow ? "model is slow" : inFlight > 1 ? `${inFlight} boxes wait` : inFlight === 1 ? "reading the box" : null;
  return (
    <span className={styles.model} data-testid="status-model" data-slow={slow}>
      <i />
      {name ? `Model ${name}` : "No model"}
      {" · "}
      <b>{busy ?? (lastMs === null ? "ready" : `${lastMs} ms`)}</b>
    </span>
  );
}

function FilmstripToggle() {
  const shown = useShown();
  const open = shown.is("filmstrip");
  const Icon = open ? IconLayoutBottombarFilled : IconLayoutBottombar;
  const words = open ? "Hide the filmstrip" : "Show the filmstrip";
  return (
    <Tooltip label={words}>
      <ActionIcon size={24} className={styles.toggle} aria-label={words} aria-pressed={open} data-testid="toggle-filmstrip" onClick={() => shown.toggle("filmstrip")}>
        <Icon size={16} stroke={1.5} />
      </ActionIcon>
    </Tooltip>
  );
}

export function StatusBar({ session }: Props) {
  return (
    <footer className={styles.bar}>
      <Place session={session} />
      <Zoom session={session} />
      <Hints session={session} />
      <Model session={session} />
      <FilmstripToggle />
    </footer>
  );
}
