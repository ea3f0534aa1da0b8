import { ActionIcon, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconAdjustments, IconInfoCircle, IconLayoutSidebarRightCollapse, IconListDetails, IconNote, IconTags, type TablerIcon } from "@tabler/icons-react";
import { useState } from "react";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { usePreference } from "../session/usePreference";
import { CellLook } from "./CellLook";
import { CellsDock } from "./CellsDock";
import { ChannelsDock } from "./ChannelsDock";
import { ClassesDock } from "./ClassesDock";
import { type DockTab, DockTabs, panelId, tabId } from "./DockTabs";
import { InfoDock } from "./InfoDock";
import { NotesDock } from "./NotesDock";
import styles from "./inspector.module.css";
import { useValue } from "./useValue";

type PictureTab = "channels" | "info";
type CellsTab = "cells" | "classes" | "notes";

interface Props {
  session: ImageSession;
  hands: Hands;
}

const TAB_ICONS: Readonly<Record<PictureTab | CellsTab, TablerIcon>> = {
  channels: IconAdjustments,
  info: IconInfoCircle,
  cells: IconListDetails,
  classes: IconTags,
  notes: IconNote,
};

/** Below this the inspector lies over the picture when it is open, and is a column of icons when it is not. */
export const NARROW = "(max-width: 899px)";

/** What the docks hold: which tab is open in each, and whether it is folded. */
function useDocks() {
  const [picture, setPicture] = usePreference<PictureTab>("ui.dock.picture", "channels");
  const [cells, setCells] = usePreference<CellsTab>("ui.dock.cells", "cells");
  const [pictureFolded, foldPicture] = usePreference<boolean>("ui.dock.picture.folded", false);
  const [cellsFolded, foldCells] = usePreference<boolean>("ui.dock.cells.folded", false);
  return { picture, setPicture, cells, setCells, pictureFolded, foldPicture, cellsFolded, foldCells };
}

function Folded({ tabs, onOpen }: { tabs: readonly DockTab<PictureTab | CellsTab>[]; onOpen: (tab: PictureTab | CellsTab) => void }) {
  return (
    <aside className={styles.icons} aria-label="Inspector" data-testid="inspector-icons">
      {tabs.map(({ id, name }) => {
        const Icon = TAB_ICONS[id];
        return (
          <Tooltip key={id} label={name} position="left">
            <ActionIcon aria-label={`Open ${name.toLowerCase()}`} onClick={() => onOpen(id)}>
              <Icon size={18} stroke={1.5} />
            </ActionIcon>
          </Tooltip>
        );
      })}
    </aside>
  );
}

/** Channels and cells are seen at the same time: nobody switches tabs to fix contrast and then a cell. */
export function Inspector({ session, hands }: Props) {
  const narrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false });
  const [wideOpen, setWideOpen] = usePreference<boolean>("ui.inspector", true);
  const [narrowOpen, setNarrowOpen] = useState(false);
  const docks = useDocks();
  useValue(session.changes);
  const openNotes = useValue(session.notes.open);
  const classes = useValue(session.classes.offered);
  const open = narrow ? narrowOpen : wideOpen;
  const setOpen = narrow ? setNarrowOpen : setWideOpen;

  const pictureTabs: readonly DockTab<PictureTab>[] = [
    { id: "channels", name: "Channels", count: session.opened.image.channels.length },
    { id: "info", name: "Info" },
  ];
  const cellTabs: readonly DockTab<CellsTab>[] = [
    { id: "cells", name: "Cells", count: session.document.size },
    { id: "classes", name: "Classes", count: classes.length },
    { id: "notes", name: "Notes", count: openNotes },
  ];
  const openTab = (tab: PictureTab | CellsTab): void => {
    setOpen(true);
    if (tab === "channels" || tab === "info") {
      docks.setPicture(tab);
      docks.foldPicture(false);
    } else {
      docks.setCells(tab);
      docks.foldCells(false);
    }
  };
  if (!open) return <Folded tabs={[...pictureTabs, ...cellTabs]} onOpen={openTab} />;

  return (
    <aside className={styles.side} data-over={narrow} aria-label="Inspector" data-testid="inspector">
      <DockTabs
        dock="picture"
        label="Picture"
        tabs={pictureTabs}
        active={docks.picture}
        onTab={docks.setPicture}
        folded={docks.pictureFolded}
        onFold={docks.foldPicture}
        extra={
          <>
            {docks.picture === "channels" && (
              <button type="button" className={styles.plain} title="Fit every channel's range to this image" onClick={() => session.looks.auto()}>
                Auto
              </button>
            )}
            <Tooltip label="Fold the inspector away" position="left">
              <ActionIcon size={24} aria-label="Fold the inspector away" data-testid="fold-inspector" onClick={() => setOpen(false)}>
                <IconLayoutSidebarRightCollapse size={16} stroke={1.5} />
              </ActionIcon>
            </Tooltip>
          </>
        }
      />
      {!docks.pictureFolded && (
        <div className={styles.dock} data-alone={docks.cellsFolded} role="tabpanel" id={panelId("picture")} aria-labelledby={tabId("picture", docks.picture)} tabIndex={0}>
          {docks.picture === "channels" ? <ChannelsDock session={session} /> : <InfoDock session={session} />}
        </div>
      )}
      <CellLook session={session} />
      <section className={styles.lower} data-folded={docks.cellsFolded} aria-label="Cells and classes">
        <DockTabs dock="cells" label="Cells" tabs={cellTabs} active={docks.cells} onTab={docks.setCells} folded={docks.cellsFolded} onFold={docks.foldCells} />
        {!docks.cellsFolded && (
          <div className={styles.panel} role="tabpanel" id={panelId("cells")} aria-labelledby={tabId("cells", docks.cells)}>
            {docks.cells === "cells" && <CellsDock session={session} hands={hands} />}
            {docks.cells === "classes" && <ClassesDock session={session} hands={hands} />}
            {docks.cells === "notes" && <NotesDock session={session} />}
          </div>
        )}
      </section>
    </aside>
  );
}
