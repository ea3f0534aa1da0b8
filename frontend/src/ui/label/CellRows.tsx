import { IconSparkles, IconUser } from "@tabler/icons-react";
import { type KeyboardEvent, memo, useEffect, useRef, useState } from "react";

import { CELL_PALETTE } from "../../document/colors";
import { needsCheck } from "../../document/commands";
import { type Cell, cellArea } from "../../document/patch";
import type { ImageSession } from "../../session/imageSession";
import { areaFigure } from "../../session/measures";
import { score } from "../format";
import { classNameOf, type ClassNames } from "./cellOrder";
import styles from "./cells.module.css";

const ROW = 28;
/** Rows drawn above and below what is seen, so that scrolling never shows a gap. */
const SPARE = 8;

const rowId = (cell: Cell): string => `cell-row-${cell.id}`;

interface RowProps {
  cell: Cell;
  color: string;
  area: string;
  className: string;
  selected: boolean;
  top: number;
  onPick: (cell: Cell, more: boolean) => void;
}

const Row = memo(function Row({ cell, color, area, className, selected, top, onPick }: RowProps) {
  const low = needsCheck(cell);
  const Source = cell.source === "model" ? IconSparkles : IconUser;
  return (
    <div
      id={rowId(cell)}
      role="option"
      aria-selected={selected}
      className={styles.row}
      data-testid="cell-row"
      data-label={cell.label}
      data-low={low}
      style={{ top }}
      onClick={(event) => onPick(cell, event.shiftKey || event.ctrlKey || event.metaKey)}
    >
      <i style={{ background: low ? "var(--amber)" : color }} aria-hidden />
      <span>{cell.label}</span>
      <span className={styles.area}>{area}</span>
      <span className={styles.score}>
        <s style={{ "--part": `${(cell.score ?? 0) * 100}%` } as React.CSSProperties} aria-hidden />
        {score(cell.score)}
      </span>
      <span className="ellipsis" data-testid="cell-class">
        {className || <span className="t3">–</span>}
      </span>
      <span className={styles.from} title={cell.source === "model" ? "Drawn by the model" : "Drawn by a person"}>
        <Source size={14} stroke={1.5} aria-label={cell.source === "model" ? "the model" : "a person"} />
      </span>
    </div>
  );
});

interface Props {
  session: ImageSession;
  cells: readonly Cell[];
  names: ClassNames;
  selection: ReadonlySet<string>;
  empty: string;
  onPick: (cell: Cell, more: boolean) => void;
}

/** What of the list is in sight, in pixels from its top. */
function useSight(frame: React.RefObject<HTMLDivElement | null>) {
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const measure = (): void => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [frame]);
  return seen;
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

/** Only the rows in sight exist. Picking a cell in the picture scrolls its row to the middle; arrow keys walk the list. */
export function CellRows({ session, cells, names, selection, empty, onPick }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const seen = useSight(frame);
  const clicked = useRef<string | null>(null);
  const [only] = selection;
  const chosen = selection.size === 1 ? only : null;

  useEffect(() => {
    const element = frame.current;
    if (!element || chosen === null || clicked.current === chosen) return;
    const index = cells.findIndex((cell) => cell.id === chosen);
    const hidden = index * ROW < element.scrollTop || (index + 1) * ROW > element.scrollTop + element.clientHeight;
    if (index >= 0 && hidden) element.scrollTop = index * ROW - element.clientHeight / 2 + ROW / 2;
    // Only a new selection scrolls: the list must not run away while cells are repaired.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selection]);

  const first = Math.max(0, Math.floor(seen.top / ROW) - SPARE);
  const last = Math.min(cells.length, Math.ceil((seen.top + seen.height) / ROW) + SPARE);
  const shown = cells.slice(first, last);
  const pick = (cell: Cell, more: boolean): void => {
    clicked.current = cell.id;
    onPick(cell, more);
  };
  const walk = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined || cells.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at = cells.findIndex((cell) => cell.id === chosen);
    onPick(cells[Math.min(cells.length - 1, Math.max(0, at + step))], false);
  };
  return (
    <>
      {cells.length === 0 && <p className={styles.empty}>{empty}</p>}
      <div
        ref={frame}
        className={styles.rows}
        role="listbox"
        aria-label="Cells of this image"
        aria-multiselectable
        aria-activedescendant={chosen !== null && shown.some((cell) => cell.id === chosen) ? `cell-row-${chosen}` : undefined}
        tabIndex={0}
        hidden={cells.length === 0}
        data-gives-back-keys
        data-page-keys
        onKeyDown={walk}
      >
        <div style={{ height: cells.length * ROW }}>
          {shown.map((cell, index) => (
            <Row
              key={cell.id}
              cell={cell}
              color={`rgb(${CELL_PALETTE[session.colors.of(cell)].join(" ")})`}
              area={areaFigure(cellArea(cell), session.opened.image.pixel_size_um)}
              className={classNameOf(cell, names)}
              selected={selection.has(cell.id)}
              top={(first + index) * ROW}
              onPick={pick}
            />
          ))}
        </div>
      </div>
    </>
  );
}
