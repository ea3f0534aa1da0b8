import { useEffect } from "react";

import type { ImageSession } from "../../session/imageSession";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

const LONGEST = 140;
/** The corner that it takes, at its longest: it changes with the zoom, and a fitted picture must not. */
const COVER = { width: LONGEST + 28, height: 52 };

/** The longest of 1, 2, 5, 10, ... µm that fits. */
function niceLength(most: number): number {
  const ten = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((n) => n * ten).find((length) => length <= most) ?? ten;
}

export function ScaleBar({ session }: { session: ImageSession }) {
  const { zoom } = useValue(session.view.camera);
  const pixelSize = session.opened.image.pixel_size_um;
  const { view } = session;
  useEffect(() => {
    if (!pixelSize) return;
    view.cover("bottom-right", COVER);
    return () => view.cover("bottom-right", null);
  }, [view, pixelSize]);
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
