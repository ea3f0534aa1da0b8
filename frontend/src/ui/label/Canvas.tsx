import { ActionIcon, Tooltip } from "@mantine/core";
import { IconMaximize, IconMinus, IconPlus } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import type { Action } from "../../session/keys/commands";
import { keyCap } from "../../session/keys/keyboard";
import { Notice } from "../states/Notice";
import { Banner } from "./Banner";
import { CellMenu } from "./CellMenu";
import { Message } from "./Message";
import { Minimap } from "./Minimap";
import { Panes } from "./Panes";
import { ScaleBar } from "./ScaleBar";
import { ToolCard } from "./ToolCard";
import styles from "./canvas.module.css";
import { useCover } from "./useCover";
import { useShown } from "./useShown";
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

function ZoomButtons({ session, hands }: Props) {
  const buttons = useRef<HTMLDivElement>(null);
  useCover(session.view, "top-right", buttons);
  return (
    <div ref={buttons} data-testid="zoom" className={styles.zoom} role="group" aria-label="Zoom">
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
  const frame = useRef<HTMLElement>(null);
  const failure = useValue(session.view.failure);
  const shown = useShown();
  const sideBySide = shown.is("sideBySide") && session.opened.image.channels.length > 1;

  const [mode, setMode] = useState({ sideBySide, changes: 0 });
  if (mode.sideBySide !== sideBySide) setMode({ sideBySide, changes: mode.changes + 1 });

  // The tools' keys work on the whole page, but only while there is a picture.
  useEffect(() => (frame.current ? hands.listenKeys() : undefined), [hands]);

  return (
    <main ref={frame} className={styles.canvas}>
      <CellMenu session={session} hands={hands}>
        <Panes key={mode.changes} session={session} hands={hands} sideBySide={sideBySide} refit={mode.changes > 0} />
      </CellMenu>
      {failure ? (
        <div className={styles.failure}>
          <Notice tone="error" title="The picture cannot be drawn" detail={`${failure} The cell list still works.`} />
        </div>
      ) : (
        <>
          <ToolCard session={session} sideBySide={sideBySide} />
          <ZoomButtons session={session} hands={hands} />
          {shown.is("minimap") && <Minimap session={session} />}
          {shown.is("scaleBar") && <ScaleBar session={session} />}
        </>
      )}
      <Banner session={session} />
      <Message session={session} />
    </main>
  );
}
