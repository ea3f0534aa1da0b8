import { Menu, Tooltip } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { IconDots } from "@tabler/icons-react";
import { Fragment } from "react";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { keyboard, keyCap, shortKeyCap } from "../../session/keys/keyboard";
import { TOOLS, type ToolId } from "../../tools/registry";
import { OperationsMenu } from "./OperationsMenu";
import { railLayout } from "./railLayout";
import { TOOL_ICONS } from "./toolIcons";
import styles from "./tools.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
  hands: Hands;
}

interface ToolButtonProps {
  id: ToolId;
  active: boolean;
  height: number;
  hands: Hands;
}

const toolOf = (id: ToolId) => TOOLS.find((tool) => tool.id === id) ?? TOOLS[0];

/** What fits into the corner of a button: one sign, with Shift as an arrow. The tooltip has the rest. */
function cornerCap(id: ToolId): string {
  const short = shortKeyCap(`tool.${id}`);
  return short.length > 2 ? "" : short;
}

function ToolButton({ id, active, height, hands }: ToolButtonProps) {
  const { name, icon } = toolOf(id);
  const Icon = TOOL_ICONS[icon];
  return (
    <Tooltip label={`${name}  ${keyCap(`tool.${id}`)}`} position="right">
      <button type="button" className={styles.tool} style={{ height }} data-testid={`tool-${id}`} aria-pressed={active} aria-label={name} onClick={() => hands.run(`tool.${id}`)}>
        <Icon size={height < 36 ? 18 : 20} stroke={1.5} aria-hidden />
        <u aria-hidden data-cap={cornerCap(id)} />
      </button>
    </Tooltip>
  );
}

function MoreTools({ ids, active, height, hands }: { ids: readonly ToolId[]; active: ToolId; height: number; hands: Hands }) {
  const chosen = ids.includes(active);
  const Icon = chosen ? TOOL_ICONS[toolOf(active).icon] : IconDots;
  return (
    <Menu position="right-end" width={224}>
      <Menu.Target>
        <button type="button" className={styles.tool} style={{ height }} data-testid="more-tools" aria-pressed={chosen} aria-label={chosen ? `${toolOf(active).name}, more tools` : "More tools"}>
          <Icon size={18} stroke={1.5} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {ids.map((id) => {
          const { name, icon } = toolOf(id);
          const ToolIcon = TOOL_ICONS[icon];
          return (
            <Menu.Item key={id} leftSection={<ToolIcon size={16} stroke={1.5} />} rightSection={<kbd>{keyCap(`tool.${id}`)}</kbd>} onClick={() => hands.run(`tool.${id}`)}>
              {name}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

/** The registry's groups in its own order. */
function groupsOf(ids: readonly ToolId[]): ToolId[][] {
  const groups = new Map<string, ToolId[]>();
  for (const id of ids) {
    const { group } = toolOf(id);
    groups.set(group, [...(groups.get(group) ?? []), id]);
  }
  return [...groups.values()];
}

const ORDERED = groupsOf(TOOLS.map(({ id }) => id)).flat();
const GROUPS = new Set(TOOLS.map(({ group }) => group)).size;
/** The button of the menu with what is done at once. */
const EXTRA = 1;

export function ToolRail({ session, hands }: Props) {
  const active = useValue(session.tool);
  useValue(keyboard.bindings);
  const { ref, height } = useElementSize<HTMLElement>();
  const { tool, shown } = railLayout(height || 800, ORDERED.length, GROUPS, EXTRA);
  const hidden = ORDERED.slice(shown);
  return (
    <nav ref={ref} className={styles.rail} aria-label="Tools">
      {groupsOf(ORDERED.slice(0, shown)).map((group) => (
        <Fragment key={group[0]}>
          <div role="group" aria-label={toolOf(group[0]).group} className={styles.group}>
            {group.map((id) => (
              <ToolButton key={id} id={id} active={active === id} height={tool} hands={hands} />
            ))}
          </div>
          <i aria-hidden />
        </Fragment>
      ))}
      {hidden.length > 0 && <MoreTools ids={hidden} active={active} height={tool} hands={hands} />}
      <OperationsMenu session={session} hands={hands} height={tool} />
    </nav>
  );
}
