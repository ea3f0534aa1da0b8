import { Tooltip } from "@mantine/core";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import type { Action } from "../../session/keymap";
import { TOOLS, type ToolId } from "../../tools/registry";
import styles from "./tools.module.css";
import { TOOL_ICONS } from "./toolIcons";
import { useValue } from "./useValue";

/** Groups of tools, with a hairline between them. */
const GROUPS: readonly (readonly ToolId[])[] = [["select", "smart-box"], ["brush", "erase"], ["pan"]];

export function ToolRail({ session, hands }: { session: ImageSession; hands: Hands }) {
  const active = useValue(session.tool);
  return (
    <nav className={styles.rail} aria-label="Tools">
      {GROUPS.map((group) => (
        <div key={group[0]} role="group" className={styles.group}>
          {TOOLS.filter((tool) => group.includes(tool.id)).map(({ id, name, key }) => {
            const Icon = TOOL_ICONS[id];
            const action: Action = `tool.${id}`;
            return (
              <Tooltip key={id} label={`${name}  ${key.toUpperCase()}`} position="right">
                <button
                  type="button"
                  className={styles.tool}
                  data-testid={`tool-${id}`}
                  aria-pressed={active === id}
                  aria-label={name}
                  onClick={() => hands.run(action)}
                >
                  <Icon size={20} stroke={1.5} aria-hidden />
                  <u aria-hidden>{key.toUpperCase()}</u>
                </button>
              </Tooltip>
            );
          })}
        </div>
      ))}
    </nav>
  );
}
