import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef } from "react";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { paneGrid } from "./panes";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

interface PaneProps {
  session: ImageSession;
  hands: Hands;
  /** The channels that this pane shows; null: those that are switched on. */
  channels: readonly number[] | null;
  first: boolean;
  refit: boolean;
  label: string;
}

/** One view of the image. All views of a page have the same camera and the same size. */
function Pane({ session, hands, channels, first, refit, label }: PaneProps) {
  const area = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    if (!area.current || !picture.current || !overlay.current) return;
    const frame = area.current;
    const detach = channels ? session.view.attachPane(picture.current, overlay.current, channels) : session.view.attach(picture.current, overlay.current);
    const stop = hands.listenPointer(frame);
    let fits = !refit;
    const observer = new ResizeObserver(() => {
      session.view.resize({ width: frame.clientWidth, height: frame.clientHeight }, window.devicePixelRatio);
      if (!fits) session.view.fit();
      fits = true;
    });
    if (first) observer.observe(frame);
    return () => {
      stop();
      observer.disconnect();
      detach();
    };
  }, [session, hands, channels, first, refit]);

  return (
    <div ref={area} className={styles.area} data-testid={first ? "canvas" : "canvas-pane"} tabIndex={0} data-page-keys role="application" aria-label={label}>
      <canvas ref={picture} />
      <canvas ref={overlay} />
    </div>
  );
}

interface Props {
  session: ImageSession;
  hands: Hands;
  sideBySide: boolean;
  /** These panes took the place of others: one large picture and several small ones each begin with all of the image. */
  refit: boolean;
}

/** The picture, or one picture per channel, moved together. */
export function Panes({ session, hands, sideBySide, refit }: Props) {
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  const { image } = session.opened;
  const looks = useValue(session.view.channels);
  const views = useMemo<(readonly number[] | null)[]>(() => (sideBySide ? [null, ...image.channels.map((_, index) => [index])] : [null]), [sideBySide, image]);
  const { columns, rows } = paneGrid(views.length, { width: width || 1, height: height || 1 }, image);
  return (
    <div ref={ref} className={styles.panes} style={{ gridTemplate: `repeat(${rows}, minmax(0, 1fr)) / repeat(${columns}, minmax(0, 1fr))` }}>
      {/* Not before the grid is known: the first fit is for the size that the panes have then. */}
      {width > 0 && views.map((channels, index) => {
        const [only] = channels ?? [];
        const name = only === undefined ? "all channels" : image.channels[only].name;
        return (
          <div key={name} className={styles.pane} data-testid="pane">
            <Pane session={session} hands={hands} channels={channels} first={index === 0} refit={refit} label={`Picture of ${image.name} with its cells${sideBySide ? `, ${name}` : ""}`} />
            {sideBySide && (
              <b>
                {only !== undefined && <i style={{ background: `rgb(${looks[only].color.join(" ")})` }} />}
                {only === undefined ? "All channels" : name}
              </b>
            )}
          </div>
        );
      })}
    </div>
  );
}
