import { ActionIcon, Tooltip } from "@mantine/core";
import { IconMaximize, IconMinus, IconPlus } from "@tabler/icons-react";
import { useEffect, useRef } from "react";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { type Action, keyCap } from "../../session/keymap";
import { Notice } from "../states/Notice";
import { Banner } from "./Banner";
import { Message } from "./Message";
import { Minimap } from "./Minimap";
import { ScaleBar } from "./ScaleBar";
import { ToolCard } from "./ToolCard";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
  hands: Hands;
}

const ZOOMS: readonly { action: Action; label: string; Icon: typeof IconPlus }[] = [
  { action: "view.in", label: "Zoom in", Icon: IconPlus },
  { action: "view.out", label: "Zoom out", Icon: IconMinus },
  { action: "view.fit", label: "Fit the image", Icon: IconMaximize },
];

function ZoomButtons({ hands }: { hands: Hands }) {
  return (
    <div className={styles.zoom}>
      {ZOOMS.map(({ action, label, Icon }) => (
        <Tooltip key={action} label={`${label}  ${keyCap(action)}`} position="left">
          <ActionIcon aria-label={label} onClick={() => hands.run(action)}>
            <Icon size={16} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  );
}

export function Canvas({ session, hands }: Props) {
  const area = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const failure = useValue(session.view.failure);

  useEffect(() => {
    if (!area.current || !picture.current || !overlay.current) return;
    const frame = area.current;
    const detach = session.view.attach(picture.current, overlay.current);
    const observer = new ResizeObserver(() => session.view.resize({ width: frame.clientWidth, height: frame.clientHeight }, window.devicePixelRatio));
    observer.observe(frame);
    const stop = hands.listen(frame);
    return () => {
      stop();
      observer.disconnect();
      detach();
    };
  }, [session, hands]);

  return (
    <main className={styles.canvas}>
      <div ref={area} className={styles.area} data-testid="canvas" tabIndex={0} role="application" aria-label={`Picture of ${session.opened.image.name} with its cells`}>
        <canvas ref={picture} />
        <canvas ref={overlay} />
      </div>
      {failure ? (
        <div className={styles.failure}>
          <Notice tone="error" title="The picture cannot be drawn" detail={`${failure} The cell list still works.`} />
        </div>
      ) : (
        <>
          <ToolCard session={session} />
          <ZoomButtons hands={hands} />
          <Minimap session={session} />
          <ScaleBar session={session} />
        </>
      )}
      <Banner session={session} />
      <Message session={session} />
    </main>
  );
}
