import { needsCheck } from "../document/commands";
import { type Point, outline, spread } from "../document/contour";
import type { Cell } from "../document/patch";
import type { DocumentReader } from "../document/store";
import { type Camera, type Size, toScreen, visibleBox } from "./camera";
import type { BrushCursor, Mark } from "./marks";
import { type DrawTag, tagsOn } from "./tags";

/** The thin things that keep their size on the screen: tags, handles, boxes, the brush. Plain 2D drawing. */
export interface OverlayState {
  readonly camera: Camera;
  readonly selection: ReadonlySet<string>;
  readonly marks: readonly Mark[];
  readonly brush: BrushCursor | null;
  /** During a drag only what the drag is about is shown. */
  readonly dragging: boolean;
  readonly labelsHidden: boolean;
}

const ACCENT = "#3FE0B5";
const AMBER = "#FFB72E";
const RED = "#FF7A70";
const INK = "#0A0C0F";
const SELECTED_TAG = { back: "#FFFFFF", ink: INK };
const AMBER_TAG = { back: AMBER, ink: "#2A1B00" };
const ACCENT_TAG = { back: ACCENT, ink: "#04231A" };
const HANDLES = 10;
/** More tags than this would cover the picture. */
const MOST_TAGS = 40;

type Context = CanvasRenderingContext2D;

/** The outline of a mark: its path, or its box. */
function traceMark(context: Context, { box, path, closed }: Mark, place: (x: number, y: number) => Point): void {
  const corners = path ?? [{ x: box[0], y: box[1] }, { x: box[2], y: box[1] }, { x: box[2], y: box[3] }, { x: box[0], y: box[3] }];
  context.beginPath();
  for (const { x, y } of corners) {
    const at = place(x, y);
    context.lineTo(at.x, at.y);
  }
  if (closed ?? !path) context.closePath();
}

/** A click: a dot with a plus or a minus, so that colour is not all that tells them apart. */
function drawClick(context: Context, at: Point, positive: boolean): void {
  context.fillStyle = positive ? ACCENT : RED;
  context.strokeStyle = INK;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(at.x, at.y, 6, 0, 2 * Math.PI);
  context.fill();
  context.moveTo(at.x - 3, at.y);
  context.lineTo(at.x + 3, at.y);
  if (positive) {
    context.moveTo(at.x, at.y - 3);
    context.lineTo(at.x, at.y + 3);
  }
  context.stroke();
}

function drawMark(context: Context, drawTag: DrawTag, mark: Mark, place: (x: number, y: number) => Point): void {
  const amber = mark.state === "failed" || mark.low === true;
  traceMark(context, mark, place);
  context.strokeStyle = "rgba(5,6,8,0.55)";
  context.lineWidth = 3.5;
  context.stroke();
  context.strokeStyle = amber ? AMBER : ACCENT;
  context.fillStyle = "rgba(63,224,181,0.05)";
  context.lineWidth = 1.5;
  if (mark.state !== "drawing") context.setLineDash([4, 3]);
  if (mark.closed ?? !mark.path) context.fill();
  context.stroke();
  context.setLineDash([]);
  for (const { x, y, positive } of mark.points ?? []) drawClick(context, place(x, y), positive);
  const from = place(mark.box[0], mark.box[1]);
  if (mark.tag) drawTag({ text: mark.tag, ...(amber ? AMBER_TAG : ACCENT_TAG) }, { x: from.x, y: from.y - 4 });
}

function drawBrush(context: Context, brush: BrushCursor, camera: Camera, place: (x: number, y: number) => Point): void {
  const at = place(brush.x, brush.y);
  const radius = Math.max(2, brush.radius * camera.zoom);
  for (const [style, width] of [["rgba(5,6,8,0.7)", 3.5], ["#FFFFFF", 1.5]] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    context.stroke();
    context.beginPath();
    context.moveTo(at.x - 4, at.y);
    context.lineTo(at.x + 4, at.y);
    if (!brush.subtracts) {
      context.moveTo(at.x, at.y - 4);
      context.lineTo(at.x, at.y + 4);
    }
    context.stroke();
  }
}

export function createOverlay(context: Context, document: DocumentReader): (state: OverlayState, viewport: Size, ratio: number) => void {
  const traced = new WeakMap<Cell, Point[]>();
  const outlineOf = (cell: Cell): Point[] => {
    const known = traced.get(cell) ?? outline(cell);
    traced.set(cell, known);
    return known;
  };

  const drawSelected = (drawTag: DrawTag, cell: Cell, zoom: number, place: (x: number, y: number) => Point): void => {
    const points = outlineOf(cell);
    if (zoom * Math.min(cell.box[2] - cell.box[0], cell.box[3] - cell.box[1]) > 24) {
      context.fillStyle = "#FFFFFF";
      context.strokeStyle = INK;
      context.lineWidth = 1.5;
      for (const point of spread(points, HANDLES)) {
        const at = place(point.x, point.y);
        context.beginPath();
        context.arc(at.x, at.y, 4, 0, 2 * Math.PI);
        context.fill();
        context.stroke();
      }
    }
    const top = place(points[0].x, cell.box[1]);
    drawTag({ text: `#${cell.label}`, ...SELECTED_TAG }, { x: top.x - 16, y: top.y - 6 });
  };

  /** The worst first: where tags would lie on each other, these are read. */
  const drawChecks = (drawTag: DrawTag, state: OverlayState, viewport: Size, place: (x: number, y: number) => Point): void => {
    if (state.camera.zoom < 0.6) return;
    const low = document.near(visibleBox(state.camera, viewport)).filter((cell) => needsCheck(cell) && !state.selection.has(cell.id));
    low.sort((one, other) => (one.score ?? 0) - (other.score ?? 0));
    for (const cell of low.slice(0, MOST_TAGS)) {
      const top = place(outlineOf(cell)[0].x, cell.box[1]);
      drawTag({ text: `\u26A0\uFE0E ${(cell.score ?? 0).toFixed(2)}`, ...AMBER_TAG }, { x: top.x - 16, y: top.y - 4 }, true);
    }
  };

  return (state, viewport, ratio) => {
    const place = (x: number, y: number): Point => toScreen(state.camera, viewport, x, y);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, viewport.width, viewport.height);
    const [from, to] = [place(0, 0), place(document.width, document.height)];
    context.strokeStyle = "rgba(255,255,255,0.14)";
    context.lineWidth = 1;
    context.strokeRect(Math.round(from.x) - 0.5, Math.round(from.y) - 0.5, Math.round(to.x - from.x) + 1, Math.round(to.y - from.y) + 1);
    const drawTag = tagsOn(context, viewport);
    if (!state.labelsHidden) {
      for (const id of [...state.selection].slice(0, MOST_TAGS)) {
        const cell = document.get(id);
        if (cell) drawSelected(drawTag, cell, state.camera.zoom, place);
      }
      if (!state.dragging) drawChecks(drawTag, state, viewport, place);
    }
    for (const mark of state.marks) drawMark(context, drawTag, mark, place);
    if (state.brush) drawBrush(context, state.brush, state.camera, place);
  };
}
