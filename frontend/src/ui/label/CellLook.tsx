import { ActionIcon, Popover, Switch } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";

import type { ImageSession } from "../../session/imageSession";
import { ColourBySelect } from "./ColourBySelect";
import { Slider } from "./Slider";
import styles from "./inspector.module.css";
import { SHOWN, useShown } from "./useShown";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
}

function SeeingMenu({ session }: Props) {
  const seeing = useValue(session.seeing);
  const shown = useShown();
  const several = session.opened.image.channels.length > 1;
  return (
    <Popover position="bottom-end" width={248} trapFocus>
      <Popover.Target>
        <ActionIcon aria-label="More ways to look" data-testid="seeing-menu">
          <IconDots size={16} stroke={1.5} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown className={styles.menu}>
        <ColourBySelect session={session} />
        <Switch label="Invert the picture" labelPosition="left" checked={seeing.invert} onChange={(event) => session.setSeeing({ invert: event.currentTarget.checked })} />
        <Switch label="Channels in grey" labelPosition="left" checked={seeing.grey} onChange={(event) => session.setSeeing({ grey: event.currentTarget.checked })} />
        {SHOWN.filter(({ id }) => several || id !== "sideBySide").map(({ id, name }) => (
          <Switch key={id} label={name} labelPosition="left" checked={shown.is(id)} data-testid={`show-${id}`} onChange={() => shown.toggle(id)} />
        ))}
      </Popover.Dropdown>
    </Popover>
  );
}

/** How strongly cells are painted over the picture, and what else of the page's looks can be changed. */
export function CellLook({ session }: Props) {
  const { fill, outlines } = useValue(session.seeing);
  const text = `${Math.round(fill * 100)}%`;
  return (
    <div className={styles.look}>
      <span>Fill</span>
      <Slider label="Cell fill" min={0} max={0.7} step={0.01} value={fill} text={text} onChange={(next) => session.setSeeing({ fill: next })} />
      <b>{text}</b>
      <i aria-hidden />
      <Switch size="xs" label="Outlines" labelPosition="left" checked={outlines} onChange={(event) => session.setSeeing({ outlines: event.currentTarget.checked })} />
      <SeeingMenu session={session} />
    </div>
  );
}
