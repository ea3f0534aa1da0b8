import { type Box, boxHeight, boxIntersect, boxIsEmpty, boxUnion, boxWidth } from "../document/box";
import type { Size } from "./camera";

/** More parts than this are drawn as one: each costs a few draw calls. */
const MOST_PARTS = 8;

const area = (box: Box): number => boxWidth(box) * boxHeight(box);

/** `parts` and `added`, in few boxes: two are joined where that wastes nothing. */
export function withDamage(parts: readonly Box[], added: Box): Box[] {
  if (boxIsEmpty(added)) return [...parts];
  let whole = added;
  const kept: Box[] = [];
  for (const part of parts) {
    const joined = boxUnion(part, whole);
    if (area(joined) <= area(part) + area(whole)) whole = joined;
    else kept.push(part);
  }
  kept.push(whole);
  return kept.length > MOST_PARTS ? [kept.reduce(boxUnion)] : kept;
}

/** What a picture of `size` lacks after its content moved by (dx, dy): up to two strips. */
export function uncovered(size: Size, dx: number, dy: number): Box[] {
  const { width, height } = size;
  const all: Box = [0, 0, width, height];
  const columns: Box = dx > 0 ? [0, 0, dx, height] : [width + dx, 0, width, height];
  const rows: Box = dy > 0 ? [0, 0, width, dy] : [0, height + dy, width, height];
  return [columns, rows].map((strip) => boxIntersect(strip, all)).filter((strip) => !boxIsEmpty(strip));
}
