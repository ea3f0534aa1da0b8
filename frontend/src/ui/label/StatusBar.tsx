import type { ImageSession } from "../../session/imageSession";
import styles from "./statusBar.module.css";
import { useValue } from "./useValue";

function Place({ session }: { session: ImageSession }) {
  const at = useValue(session.view.pointer);
  const looks = useValue(session.view.channels);
  const { pixel_size_um: size, channels } = session.opened.image;
  const cell = at?.making ? "new" : at?.label ? `#${at.label}` : "–";
  return (
    <>
      <span className={styles.place}>
        <b>{at ? `${at.x}, ${at.y}` : "–"}</b> px
      </span>
      {size !== null && (
        <span className={`${styles.place} ${styles.wide}`}>
          <b>{at ? `${(at.x * size).toFixed(1)}, ${(at.y * size).toFixed(1)}` : "–"}</b> µm
        </span>
      )}
      <span className={styles.samples}>
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

function Zoom({ session }: { session: ImageSession }) {
  const { zoom } = useValue(session.view.camera);
  return (
    <span className={styles.zoom} data-testid="status-zoom">
      <b>{Math.round(zoom * 100)}</b>%
    </span>
  );
}

function Hints({ session }: { session: ImageSession }) {
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

function Model({ session }: { session: ImageSession }) {
  const name = useValue(session.modelName);
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

export function StatusBar({ session }: { session: ImageSession }) {
  return (
    <footer className={styles.bar}>
      <Place session={session} />
      <Zoom session={session} />
      <Hints session={session} />
      <Model session={session} />
    </footer>
  );
}
