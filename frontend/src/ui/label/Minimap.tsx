import { needsCheck } from "../../document/commands";
import { visibleBox } from "../../render/camera";
import type { ImageSession } from "../../session/imageSession";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

const SIDE = 112;
const MOST_DOTS = 200;

/** Where the view is, and where cells to check are. Shown once the view does not hold the whole image. */
export function Minimap({ session }: { session: ImageSession }) {
  const { width, height, thumbnail_url: thumbnail } = session.opened.image;
  const camera = useValue(session.view.camera);
  const viewport = useValue(session.view.viewport);
  useValue(session.changes);
  const [x0, y0, x1, y1] = visibleBox(camera, viewport);
  const seesAll = x0 <= 0 && y0 <= 0 && x1 >= width && y1 >= height;
  if (!thumbnail || seesAll) return null;

  const scale = SIDE / Math.max(width, height);
  const within = (value: number, end: number): number => Math.min(end, Math.max(0, value)) * scale;
  const [left, top, right, bottom] = [within(x0, width), within(y0, height), within(x1, width), within(y1, height)];
  const low = [...session.document.cells()].filter(needsCheck).slice(0, MOST_DOTS);
  const goTo = (event: React.PointerEvent<HTMLDivElement>): void => {
    const frame = event.currentTarget.getBoundingClientRect();
    const to = session.view.toScreen((event.clientX - frame.left) / scale, (event.clientY - frame.top) / scale);
    session.view.panBy(viewport.width / 2 - to.x, viewport.height / 2 - to.y);
  };
  return (
    <div className={styles.minimap} aria-hidden>
      <div
        style={{ width: width * scale, height: height * scale }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          goTo(event);
        }}
        onPointerMove={(event) => {
          if (event.buttons === 1) goTo(event);
        }}
      >
        <img src={thumbnail} alt="" draggable={false} />
        <span className={styles.seen} style={{ left, top, width: right - left, height: bottom - top }} />
        {low.map((cell) => (
          <i key={cell.id} style={{ left: ((cell.box[0] + cell.box[2]) / 2) * scale, top: ((cell.box[1] + cell.box[3]) / 2) * scale }} />
        ))}
      </div>
    </div>
  );
}
