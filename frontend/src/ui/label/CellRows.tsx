import { IconSparkles, IconUser } from "@tabler/icons-react";
import { memo, useEffect, useRef, useState } from "react";

import { CELL_PALETTE } from "../../document/colors";
import { needsCheck } from "../../document/commands";
import { type Cell, cellArea } from "../../document/patch";
import type { ImageSession } from "../../session/imageSession";
import { score } from "../format";
import { areaFigure } from "../../session/measures";
import styles from "./cells.module.css";

const ROW = 28;
/** Rows drawn above and below what is seen, so that scrolling never shows a gap. */
const SPARE = 8;

interface RowProps {
  cell: Cell;
  color: string;
  area: string;
  selected: boolean;
  top: number;
  onPick: (cell: Cell, more: boolean) => void;
}

const Row = memo(function Row({ cell, color, area, selected, top, onPick }: RowProps) {
  const low = needsCheck(cell);
  return (
    <button
      type="button"
      role="option"
      aria-selected={selected}
      tabIndex={-1}
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
      <span className={styles.from}>
        {cell.source === "model" ? <IconSparkles size={14} stroke={1.5} aria-hidden /> : <IconUser size={14} stroke={1.5} aria-hidden />}
        {cell.source === "model" ? "Model" : "Person"}
      </span>
    </button>
  );
});

interface Props {
  session: ImageSession;
  cells: readonly Cell[];
  selection: ReadonlySet<string>;
  empty: string;
  onPick: (cell: Cell, more: boolean) => void;
}

/** Only the rows in sight exist. Picking a cell in the picture scrolls its row to the middle. */
export function CellRows({ session, cells, selection, empty, onPick }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const clicked = useRef<string | null>(null);

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
  }, []);

  useEffect(() => {
    const [only] = selection;
    const element = frame.current;
    if (!element || selection.size !== 1 || clicked.current === only) return;
    const index = cells.findIndex((cell) => cell.id === only);
    const hidden = index * ROW < element.scrollTop || (index + 1) * ROW > element.scrollTop + element.clientHeight;
    if (index >= 0 && hidden) element.scrollTop = index * ROW - element.clientHeight / 2 + ROW / 2;
    // Only a new selection scrolls: the list must not run away while cells are repaired.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selection]);

  const first = Math.max(0, Math.floor(seen.top / ROW) - SPARE);
  const last = Math.min(cells.length, Math.ceil((seen.top + seen.height) / ROW) + SPARE);
  const pick = (cell: Cell, more: boolean): void => {
    clicked.current = cell.id;
    onPick(cell, more);
  };
  return (
    <div ref={frame} className={styles.rows} role="listbox" aria-label="Cells" aria-multiselectable tabIndex={0}>
      {cells.length === 0 && <p>{empty}</p>}
      <div style={{ height: cells.length * ROW }}>
        {cells.slice(first, last).map((cell, index) => (
          <Row
            key={cell.id}
            cell={cell}
            color={`rgb(${CELL_PALETTE[session.colors.of(cell)].join(" ")})`}
            area={areaFigure(cellArea(cell), session.opened.image.pixel_size_um)}
            selected={selection.has(cell.id)}
            top={(first + index) * ROW}
            onPick={pick}
          />
        ))}
      </div>
    </div>
  );
}
