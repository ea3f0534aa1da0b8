import { IconAlertTriangle, IconCheck, IconChevronDown, IconChevronUp, IconSearch } from "@tabler/icons-react";
import { useDeferredValue, useMemo, useState } from "react";

import { needsCheck } from "../../document/commands";
import type { Cell } from "../../document/patch";
import type { Hands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { keyCap } from "../../session/keys/keyboard";
import { areaUnit } from "../../session/measures";
import { counted, whole } from "../format";
import { CellFilterMenu } from "./CellFilterMenu";
import { CellRows } from "./CellRows";
import { type CellFilter, type ClassNames, type Column, filterCount, NO_FILTER, type Order, orderCells } from "./cellOrder";
import styles from "./cells.module.css";
import { useValue } from "./useValue";

interface Props {
  session: ImageSession;
  hands: Hands;
}

function ToCheck({ count, hands }: { count: number; hands: Hands }) {
  if (count === 0) {
    return (
      <span className={styles.checked} data-testid="to-check">
        <IconCheck size={14} stroke={1.8} aria-hidden />
        All checked
      </span>
    );
  }
  return (
    <button
      type="button"
      className={styles.toCheck}
      data-testid="to-check"
      title={`Go to the next cell to check  ${keyCap("cells.next")}`}
      onClick={() => hands.run("cells.next")}
    >
      <IconAlertTriangle size={14} stroke={1.8} aria-hidden />
      {whole(count)} to check
    </button>
  );
}

function Heads({ order, unit, onOrder }: { order: Order; unit: string; onOrder: (order: Order) => void }) {
  const heads: readonly (readonly [Column, string])[] = [["label", "ID"], ["area", unit], ["score", "Score"], ["class", "Class"], ["source", "By"]];
  const Arrow = order.up ? IconChevronUp : IconChevronDown;
  return (
    <div className={styles.heads} role="group" aria-label="Sort the cells">
      <span />
      {heads.map(([by, words]) => (
        <button key={by} type="button" aria-pressed={order.by === by} title={`Sort by ${words}`} onClick={() => onOrder({ by, up: order.by === by ? !order.up : true })}>
          {words}
          {order.by === by && <Arrow size={12} stroke={2} aria-label={order.up ? "ascending" : "descending"} />}
        </button>
      ))}
    </div>
  );
}

function useCells(session: ImageSession, order: Order, filter: CellFilter, names: ClassNames): { cells: Cell[]; low: number } {
  // Deferred: the list of ten thousand cells must not hold up the stroke that changed one of them.
  const changes = useDeferredValue(useValue(session.changes));
  return useMemo(() => {
    const all = changes >= 0 ? [...session.document.cells()] : [];
    return { cells: orderCells(all, order, filter, names), low: all.filter(needsCheck).length };
  }, [session, changes, order, filter, names]);
}

function selectedWords(session: ImageSession, selection: ReadonlySet<string>): string {
  const [only] = selection;
  const cell = selection.size === 1 ? session.document.get(only) : undefined;
  if (cell) return `#${cell.label}`;
  return selection.size === 0 ? "None" : whole(selection.size);
}

function emptyWords(filter: CellFilter): string {
  if (filter.find) return `No cell here is called ${filter.find}.`;
  return filterCount(filter) > 0 ? "No cell passes the filter." : "No cells yet.";
}

export function CellsDock({ session, hands }: Props) {
  const [order, setOrder] = useState<Order>({ by: "score", up: true });
  const [filter, setFilter] = useState<CellFilter>(NO_FILTER);
  const selection = useValue(session.selection);
  const all = useValue(session.classes.all);
  const names = useMemo(() => new Map(all.map(({ id, name }) => [id, name])), [all]);
  const { cells, low } = useCells(session, order, filter, names);
  const total = session.document.size;
  const pick = (cell: Cell, more: boolean): void => {
    const next = new Set(more ? selection : []);
    if (!more || !next.delete(cell.id)) next.add(cell.id);
    session.selection.set(next);
    session.view.reveal(cell.box);
  };

  return (
    <>
      <div className={styles.find}>
        <label>
          <IconSearch size={14} stroke={1.5} aria-hidden />
          <input
            placeholder="Find id or class"
            aria-label="Find cells by id or class"
            value={filter.find}
            onChange={(event) => setFilter({ ...filter, find: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key === "Enter" && cells.length > 0) pick(cells[0], false);
              if (event.key === "Escape") {
                setFilter({ ...filter, find: "" });
                event.currentTarget.blur();
              }
            }}
          />
        </label>
        <CellFilterMenu filter={filter} classes={all} onFilter={setFilter} />
        {total > 0 && <ToCheck count={low} hands={hands} />}
      </div>
      <Heads order={order} unit={areaUnit(session.opened.image.pixel_size_um)} onOrder={setOrder} />
      <CellRows session={session} cells={cells} names={names} selection={selection} onPick={pick} empty={emptyWords(filter)} />
      <footer className={styles.foot}>
        <span>
          <b>{selectedWords(session, selection)}</b> selected
        </span>
        <span className="grow" />
        {cells.length < total ? (
          <span data-testid="cells-shown">{`${whole(cells.length)} of ${counted(total, "cell")}`}</span>
        ) : (
          <>
            <kbd>{keyCap("cells.next")}</kbd> next to check
          </>
        )}
      </footer>
    </>
  );
}
