import { type KeyboardEvent, useState } from "react";

import type { PlotPoint, Plotted } from "./proof";
import styles from "./plot.module.css";
import { spreadPlaces, ticksTo } from "./scale";

const WIDTH = 500;
const HEIGHT = 244;
const LEFT = 40;
const RIGHT = 484;
const TOP = 22;
const BOTTOM = 204;
/** Few points have room for their names, and for their figures beside them. */
const MOST_LABELS = 9;
const MOST_FIGURES = 9;

interface Props {
  plotted: Plotted;
  /** What the plot is of, for those who do not see it. */
  title: string;
  say: (value: number) => string;
  limit: number | null;
}

type Place = (value: number) => number;

const pathOf = (line: Plotted["line"], x: Place, y: Place): string => `M${line.map((point) => `${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`).join("L")}`;

function Grid({ ticks, y, say }: { ticks: number[]; y: Place; say: Props["say"] }) {
  return ticks.map((tick) => (
    <g key={tick}>
      <path d={`M${LEFT} ${y(tick)}H${RIGHT}`} stroke="var(--line)" />
      <text x={LEFT - 8} y={y(tick) + 4} textAnchor="end" className={styles.tick}>
        {say(tick)}
      </text>
    </g>
  ));
}

function Lines({ plotted: { line, pairs }, x, y }: { plotted: Plotted; x: Place; y: Place }) {
  return (
    <>
      {line.length > 1 && (
        <>
          <path d={`${pathOf(line, x, y)}L${x(line[line.length - 1].x)} ${BOTTOM}L${x(line[0].x)} ${BOTTOM}Z`} fill="var(--accent)" fillOpacity=".07" />
          <path d={pathOf(line, x, y)} fill="none" stroke="var(--accent)" strokeWidth="2" strokeLinejoin="round" />
        </>
      )}
      {pairs.map(({ x: at, from, to, isKeptOut }) => (
        <g key={at} stroke={isKeptOut ? "var(--red)" : "var(--accent)"} strokeWidth="1.5">
          <path d={`M${x(at)} ${y(from)}V${y(to)}`} strokeDasharray={isKeptOut ? "3 3" : undefined} />
          <path d={`M${x(at) - 6} ${y(from)}h12`} />
        </g>
      ))}
    </>
  );
}

function Axis({ plotted: { labels, marks }, x }: { plotted: Plotted; x: Place }) {
  return (
    <>
      {spreadPlaces(labels.length, MOST_LABELS).map((at) => (
        <text key={at} x={x(labels[at].x)} y={BOTTOM + 22} textAnchor="middle" className={styles.label} data-strong={labels[at].isStrong || undefined}>
          {labels[at].text}
        </text>
      ))}
      {marks.map((mark) => (
        <g key={mark.x}>
          <path d={`M${x(mark.x)} ${TOP}V${BOTTOM}`} stroke="var(--line-ctl)" strokeDasharray="2 3" />
          <text x={x(mark.x) + 4} y={TOP - 6} className={styles.tick}>
            {mark.text}
          </text>
        </g>
      ))}
    </>
  );
}

interface PointProps {
  point: PlotPoint;
  place: { x: number; y: number };
  isChosen: boolean;
  figure: string | null;
  /** Something rises from the point, and the names may be close below: its figure stands to the right. */
  isBeside: boolean;
  onChoose: () => void;
}

function Point({ point, place: { x, y }, isChosen, figure, isBeside, onChoose }: PointProps) {
  const radius = point.tone === "active" ? 5.5 : point.tone === "faint" && figure === null ? 2.5 : 4;
  return (
    <g>
      {figure !== null && (
        <text x={isBeside ? x + 9 : x} y={isBeside ? y + 4 : y - 11} textAnchor={isBeside ? "start" : "middle"} className={styles.figure} data-strong={point.tone === "active" || undefined}>
          {figure}
        </text>
      )}
      {/* The dot is small: what takes the pointer is not. */}
      <circle cx={x} cy={y} r="11" fill="transparent" onPointerEnter={onChoose} />
      <circle cx={x} cy={y} r={radius} className={styles.dot} data-tone={point.tone} />
      {isChosen && <circle cx={x} cy={y} r={radius + 3.5} className={styles.ring} />}
    </g>
  );
}

/** The place of the point that a key leads to; null for a key that is none of the plot's. */
function stepTo(at: number, key: string, count: number): number | null {
  const next: Record<string, number> = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: count - 1 };
  return key in next ? Math.min(count - 1, Math.max(0, next[key])) : null;
}

/** Points, and what joins them. One stop of the Tab key: arrow keys walk from point to point, and each says itself in words. */
export function Plot({ plotted, title, say, limit }: Props) {
  const { points } = plotted;
  const [chosen, setChosen] = useState<number | null>(null);
  const at = Math.min(chosen ?? points.length - 1, points.length - 1);
  const highest = Math.max(...points.map((point) => point.y), ...plotted.line.map((point) => point.y), ...plotted.pairs.map((pair) => pair.from));
  const ticks = limit === null ? ticksTo(highest) : [0, 0.25, 0.5, 0.75, 1].map((part) => part * limit);
  const last = Math.max(1, ...points.map((point) => point.x));
  const inset = points.length > MOST_FIGURES ? 8 : 26;
  const x: Place = (value) => (points.length === 1 ? (LEFT + RIGHT) / 2 : LEFT + inset + (value / last) * (RIGHT - LEFT - 2 * inset));
  const y: Place = (value) => BOTTOM - (value / ticks[ticks.length - 1]) * (BOTTOM - TOP);

  const onKeyDown = (event: KeyboardEvent) => {
    const next = stepTo(at, event.key, points.length);
    if (next === null) return;
    event.preventDefault();
    setChosen(next);
  };

  return (
    <figure className={styles.plot}>
      <div
        role="slider"
        tabIndex={0}
        className={styles.area}
        aria-label={title}
        aria-valuemin={1}
        aria-valuemax={points.length}
        aria-valuenow={at + 1}
        aria-valuetext={points[at].words}
        onKeyDown={onKeyDown}
        onFocus={() => setChosen(at)}
        onBlur={() => setChosen(null)}
        onPointerLeave={() => setChosen(null)}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden>
          <Grid ticks={ticks} y={y} say={say} />
          <Lines plotted={plotted} x={x} y={y} />
          <Axis plotted={plotted} x={x} />
          {points.map((point, index) => (
            <Point
              key={point.x}
              point={point}
              place={{ x: x(point.x), y: y(point.y) }}
              isChosen={chosen === index}
              isBeside={plotted.pairs.some((pair) => pair.x === point.x && pair.from > pair.to)}
              figure={points.length <= MOST_FIGURES ? say(point.y) : null}
              onChoose={() => setChosen(index)}
            />
          ))}
        </svg>
      </div>
      {/* Always there, so that nothing moves when a point is chosen. */}
      <figcaption className={styles.words} data-testid="plot-words">
        {points[at].words}
      </figcaption>
    </figure>
  );
}
