import { Popover } from "@mantine/core";
import { IconWand } from "@tabler/icons-react";

import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { keyCap } from "../../session/keys/keyboard";
import type { OptionId } from "../../tools/options";
import { OPERATIONS } from "../../tools/registry";
import { counted } from "../format";
import { ToolOptions } from "./ToolOptions";
import { TOOL_ICONS } from "./toolIcons";
import styles from "./tools.module.css";
import { useValue } from "./useValue";

type Operation = (typeof OPERATIONS)[number];

interface Props {
  session: ImageSession;
  hands: Hands;
}

/** What happens to other cells is one choice for all operations: it is offered once. */
const SHARED: OptionId = "overlap";

function Row({ operation, off, session, hands }: Props & { operation: Operation; off: boolean }) {
  const Icon = TOOL_ICONS[operation.icon];
  const options = operation.options.filter((id) => id !== SHARED);
  const cap = keyCap(`op.${operation.id}`);
  return (
    <li className={styles.operation}>
      <button type="button" disabled={off} title={operation.says} data-testid={`op-${operation.id}`} onClick={() => hands.run(`op.${operation.id}`)}>
        <Icon size={16} stroke={1.5} aria-hidden />
        <span className="grow">{operation.name}</span>
        {cap && <kbd>{cap}</kbd>}
      </button>
      {options.length > 0 && !off && (
        <div>
          <ToolOptions session={session} ids={options} />
        </div>
      )}
    </li>
  );
}

/** What is done at once, without a gesture: to the selected cells, or to the whole image. */
export function OperationsMenu({ session, hands, height }: Props & { height: number }) {
  const selection = useValue(session.selection);
  const selected = selection.size;
  const [onSelection, onImage] = [OPERATIONS.filter(({ needs }) => needs === "selection"), OPERATIONS.filter(({ needs }) => needs !== "selection")];
  return (
    <Popover position="right-end" width={264} trapFocus>
      <Popover.Target>
        <button type="button" className={styles.tool} style={{ height }} aria-label="Change cells at once" title="Change cells at once" data-testid="operations">
          <IconWand size={height < 36 ? 18 : 20} stroke={1.5} aria-hidden />
        </button>
      </Popover.Target>
      <Popover.Dropdown className={styles.operations} aria-label="Change cells at once">
        <h2>{selected === 0 ? "On selected cells: none is selected" : `On ${counted(selected, "selected cell")}`}</h2>
        <ul>
          {onSelection.map((operation) => (
            <Row key={operation.id} operation={operation} off={selected === 0 || session.readOnly !== null} session={session} hands={hands} />
          ))}
        </ul>
        <h2>On the image</h2>
        <ul>
          {onImage.map((operation) => (
            <Row key={operation.id} operation={operation} off={session.readOnly !== null} session={session} hands={hands} />
          ))}
        </ul>
        <div className={styles.shared}>
          <ToolOptions session={session} ids={[SHARED]} />
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
