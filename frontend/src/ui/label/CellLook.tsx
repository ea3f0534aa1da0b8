import { Switch } from "@mantine/core";

import type { ImageSession } from "../../session/imageSession";
import { Slider } from "./Slider";
import styles from "./inspector.module.css";
import { useValue } from "./useValue";

/** How strongly cells are painted over the picture. */
export function CellLook({ session }: { session: ImageSession }) {
  const labels = useValue(session.view.labels);
  return (
    <div className={styles.look}>
      <span>Cell fill</span>
      <Slider label="Cell fill" min={0} max={0.7} step={0.01} value={labels.fill} text={`${Math.round(labels.fill * 100)}%`} onChange={(fill) => session.view.labels.set({ ...labels, fill })} />
      <b>{Math.round(labels.fill * 100)}%</b>
      <i aria-hidden />
      <Switch
        size="xs"
        label="Outlines"
        labelPosition="left"
        checked={labels.outlines}
        onChange={(event) => session.view.labels.set({ ...labels, outlines: event.currentTarget.checked })}
      />
    </div>
  );
}
