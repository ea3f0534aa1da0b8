import type { ImageSession } from "../../session/imageSession";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

const LONGEST = 140;

/** The longest of 1, 2, 5, 10, ... µm that fits. */
function niceLength(most: number): number {
  const ten = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((n) => n * ten).find((length) => length <= most) ?? ten;
}

export function ScaleBar({ session }: { session: ImageSession }) {
  const { zoom } = useValue(session.view.camera);
  const pixelSize = session.opened.image.pixel_size_um;
  if (!pixelSize) return null;
  const length = niceLength((LONGEST / zoom) * pixelSize);
  const words = length >= 1000 ? `${length / 1000} mm` : length < 1 ? `${Math.round(length * 1000)} nm` : `${length} µm`;
  return (
    <div className={styles.scale}>
      {words}
      <i style={{ width: (length / pixelSize) * zoom }} />
    </div>
  );
}
