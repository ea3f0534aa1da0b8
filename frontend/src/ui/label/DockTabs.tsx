import { ActionIcon } from "@mantine/core";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import type { KeyboardEvent, ReactNode } from "react";

import { whole } from "../format";
import styles from "./inspector.module.css";

export interface DockTab<Id extends string> {
  readonly id: Id;
  readonly name: string;
  readonly count?: number;
}

interface Props<Id extends string> {
  /** Names the tab list and, with a tab's id, the panel. */
  dock: string;
  label: string;
  tabs: readonly DockTab<Id>[];
  active: Id;
  onTab: (id: Id) => void;
  folded: boolean;
  onFold: (folded: boolean) => void;
  /** At the right of the tabs. */
  extra?: ReactNode;
}

export const panelId = (dock: string): string => `${dock}-panel`;
export const tabId = (dock: string, id: string): string => `${dock}-tab-${id}`;

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

/** The head of a dock: its tabs, which the arrow keys walk, and the switch that folds it away. */
export function DockTabs<Id extends string>({ dock, label, tabs, active, onTab, folded, onFold, extra }: Props<Id>) {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = tabs.findIndex(({ id }) => id === active);
    const next = tabs[(at + step + tabs.length) % tabs.length].id;
    onTab(next);
    document.getElementById(tabId(dock, next))?.focus();
  };
  return (
    <div className={styles.tabs}>
      <div role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(({ id, name, count }) => (
          <button
            key={id}
            id={tabId(dock, id)}
            type="button"
            role="tab"
            tabIndex={id === active ? 0 : -1}
            aria-selected={id === active}
            aria-controls={folded ? undefined : panelId(dock)}
            data-testid={`dock-${id}`}
            onClick={() => {
              onTab(id);
              if (folded) onFold(false);
            }}
          >
            {name}
            {count !== undefined && <em data-testid={`count-${id}`}>{whole(count)}</em>}
          </button>
        ))}
      </div>
      <span className="grow" />
      {!folded && extra}
      <ActionIcon size={24} aria-label={folded ? `Unfold ${label.toLowerCase()}` : `Fold ${label.toLowerCase()}`} aria-expanded={!folded} onClick={() => onFold(!folded)}>
        {folded ? <IconChevronDown size={14} stroke={1.8} /> : <IconChevronUp size={14} stroke={1.8} />}
      </ActionIcon>
    </div>
  );
}
