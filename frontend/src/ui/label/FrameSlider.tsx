import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconCopy } from "@tabler/icons-react";
import { useState } from "react";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { keyCap } from "../../session/keys/keyboard";
import { Slider } from "./Slider";
import styles from "./frames.module.css";
import { useValue } from "./useValue";

/** The frames of a time-lapse or a z-stack. A frame opens when the slider is let go, not at every step on the way. */
export function FrameSlider({ session, hands }: { session: ImageSession; hands: Hands }) {
  const frames = useValue(session.frames.series);
  const selection = useValue(session.selection);
  useValue(session.access);
  const [wanted, setWanted] = useState<number | null>(null);
  const { series } = session.opened.image;
  if (!series) return null;
  const at = wanted ?? series.index;
  const word = series.axis === "t" ? "Time" : "Depth";
  const letGo = (): void => {
    const frame = wanted === null || wanted === series.index ? null : session.frames.at(wanted);
    setWanted(null);
    if (frame) hands.open(frame.image);
  };
  return (
    <section className={styles.bar} aria-label="Frames" data-testid="frames">
      <b>{word}</b>
      <Tooltip label={`Previous frame  ${keyCap("frame.previous")}`}>
        <ActionIcon aria-label="Previous frame" disabled={series.index === 0} onClick={() => hands.run("frame.previous")}>
          <IconChevronLeft size={16} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      <div className="grow" onPointerUp={letGo} onKeyUp={letGo} onBlur={letGo}>
        <Slider
          label={`${word}: frame`}
          min={0}
          max={Math.max(1, series.count - 1)}
          step={1}
          value={at}
          text={`${at + 1} of ${series.count}`}
          disabled={frames === null}
          onChange={setWanted}
        />
      </div>
      <Tooltip label={`Next frame  ${keyCap("frame.next")}`}>
        <ActionIcon aria-label="Next frame" disabled={series.index === series.count - 1} onClick={() => hands.run("frame.next")}>
          <IconChevronRight size={16} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      <span className={styles.at} data-testid="frame-at">
        <b>{at + 1}</b> / {series.count}
      </span>
      <Button
        variant="subtle"
        leftSection={<IconCopy size={14} stroke={1.5} />}
        rightSection={<kbd>{keyCap("frame.copy")}</kbd>}
        disabled={selection.size === 0 || series.index === series.count - 1 || session.readOnly !== null}
        title={selection.size === 0 ? "Select the cells to copy first" : "Copy the selected cells to the next frame"}
        onClick={() => hands.run("frame.copy")}
      >
        To next frame
      </Button>
    </section>
  );
}
