import { Menu } from "@mantine/core";
import { IconNote, IconTag, IconTrash } from "@tabler/icons-react";
import { type MouseEvent, type ReactNode, type Ref, useState } from "react";

import type { Cell } from "../../document/patch";
import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import type { Action } from "../../session/keys/commands";
import { keyCap } from "../../session/keys/keyboard";
import { OPERATIONS } from "../../tools/registry";
import { TOOL_ICONS } from "./toolIcons";
import styles from "./canvas.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
  hands: Hands;
  children: ReactNode;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const ICON = { size: 16, stroke: 1.5, "aria-hidden": true } as const;

/** Where the menu opens from. Nothing that is read out or pressed: the menu's own attributes are not passed on. */
function Anchor({ place, ref }: { place: Place | null; ref?: Ref<HTMLSpanElement> }) {
  return <span ref={ref} className={styles.menuPlace} style={{ left: place?.x, top: place?.y }} />;
}

function Cap({ action }: { action: Action }) {
  const cap = keyCap(action);
  return cap ? <kbd>{cap}</kbd> : null;
}

function Items({ session, hands }: Omit<Props, "children">) {
  const classes = useValue(session.classes.offered);
  const off = session.readOnly !== null;
  return (
    <>
      {OPERATIONS.filter(({ needs }) => needs === "selection").map(({ id, name, icon, changes }) => {
        const Icon = TOOL_ICONS[icon];
        return (
          <Menu.Item key={id} disabled={off && changes} leftSection={<Icon {...ICON} />} rightSection={<Cap action={`op.${id}`} />} onClick={() => hands.run(`op.${id}`)}>
            {name}
          </Menu.Item>
        );
      })}
      {classes.length > 0 && <Menu.Divider />}
      {classes.slice(0, 9).map(({ id, name, colour, key }) => (
        <Menu.Item
          key={id}
          disabled={off}
          leftSection={<IconTag {...ICON} color={colour} />}
          rightSection={key === null ? null : <kbd>{key}</kbd>}
          onClick={() => session.classes.assign(id)}
        >
          {name}
        </Menu.Item>
      ))}
      <Menu.Divider />
      <Menu.Item disabled={off} leftSection={<IconNote {...ICON} />} rightSection={<Cap action="note.write" />} onClick={() => hands.run("note.write")}>
        Write a note
      </Menu.Item>
      <Menu.Item className="cl-danger" disabled={off} leftSection={<IconTrash {...ICON} />} rightSection={<Cap action="edit.delete" />} onClick={() => hands.run("edit.delete")}>
        Delete
      </Menu.Item>
    </>
  );
}

/** A right click on a cell selects it and shows what can be done to it; in tools that take away, the right button takes away. */
export function CellMenu({ session, hands, children }: Props) {
  const [place, setPlace] = useState<Place | null>(null);
  const open = (event: MouseEvent<HTMLElement>): void => {
    if (session.tools[session.tool.get()].subtracts) return;
    const area = event.target instanceof Element ? event.target.closest("[data-page-keys]") : null;
    if (!area) return;
    const frame = area.getBoundingClientRect();
    const at = session.view.toImage({ x: event.clientX - frame.left, y: event.clientY - frame.top });
    const [cell]: readonly Cell[] = session.document.at(Math.floor(at.x), Math.floor(at.y));
    if (!cell) return;
    if (!session.selection.get().has(cell.id)) session.selection.set(new Set([cell.id]));
    setPlace({ x: event.clientX, y: event.clientY });
  };
  return (
    <div className={styles.menuArea} onContextMenu={open}>
      {children}
      <Menu opened={place !== null} onChange={() => setPlace(null)} position="bottom-start" width={232} offset={2}>
        <Menu.Target>
          <Anchor place={place} />
        </Menu.Target>
        <Menu.Dropdown data-testid="cell-menu">{place && <Items session={session} hands={hands} />}</Menu.Dropdown>
      </Menu>
    </div>
  );
}
