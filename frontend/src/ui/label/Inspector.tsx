import { useState } from "react";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { CellsDock } from "./CellsDock";
import { ChannelsDock } from "./ChannelsDock";
import { CellLook } from "./CellLook";
import { InfoDock } from "./InfoDock";
import styles from "./inspector.module.css";

type Tab = "channels" | "info";

/** Channels and cells are seen at the same time: nobody switches tabs to fix contrast and then a cell. */
export function Inspector({ session, hands }: { session: ImageSession; hands: Hands }) {
  const [tab, setTab] = useState<Tab>("channels");
  const channels = session.opened.image.channels.length;
  return (
    <aside className={styles.side} aria-label="Inspector">
      <div className={styles.tabs} role="tablist" aria-label="Picture">
        <button type="button" role="tab" aria-selected={tab === "channels"} onClick={() => setTab("channels")}>
          Channels<em>{channels}</em>
        </button>
        <button type="button" role="tab" aria-selected={tab === "info"} onClick={() => setTab("info")}>
          Info
        </button>
        <span className="grow" />
        {tab === "channels" && (
          <button type="button" className={styles.plain} title="Fit every channel's range to this image" onClick={() => session.looks.auto()}>
            Auto
          </button>
        )}
      </div>
      <div className={styles.dock} role="tabpanel">
        {tab === "channels" ? <ChannelsDock session={session} /> : <InfoDock session={session} />}
      </div>
      <CellLook session={session} />
      <CellsDock session={session} hands={hands} />
    </aside>
  );
}
