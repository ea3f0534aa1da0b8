import { type Box, boxHeight, boxIntersect, boxIsEmpty, boxWidth } from "./box";
import { type BoxMask, paintMask } from "./mask";

export const LABEL_TILE = 512;
/** 1 MB a tile: at most 256 MB for the largest image, the rest is painted again when it is looked at. */
const MOST_TILES = 256;

/** Slots: small integers that stand for cells in label tiles. 0 is background, 1 a mask that is being made. */
export const BACKGROUND_SLOT = 0;
export const PREVIEW_SLOT = 1;
export const FIRST_CELL_SLOT = 2;

export interface SlottedMask {
  readonly slot: number;
  readonly mask: BoxMask;
}

/** The topmost slot of every pixel, painted from the cells in tiles on demand. */
export interface LabelMap {
  at(x: number, y: number): number;
  /** Slots of `window` at one texel per `step` pixels; `window` may reach past the image (background there). */
  read(window: Box, step: number): Uint32Array;
  /** Forgets what was painted inside `box`: it is painted anew from the cells. Costs that box only. */
  repaint(box: Box): void;
  clear(): void;
}

/** `masksIn(box)` returns the masks that touch `box`, lowest first. */
export function createLabelMap(width: number, height: number, masksIn: (box: Box) => SlottedMask[]): LabelMap {
  const columns = Math.ceil(width / LABEL_TILE);
  const tiles = new Map<number, Uint32Array>();

  const paint = (window: Box, step: number): Uint32Array => {
    const out = new Uint32Array(Math.ceil(boxWidth(window) / step) * Math.ceil(boxHeight(window) / step));
    for (const { slot, mask } of masksIn(window)) paintMask(mask, slot, out, window, step);
    return out;
  };
  const tileBox = (key: number): Box => {
    const x = (key % columns) * LABEL_TILE;
    const y = Math.floor(key / columns) * LABEL_TILE;
    return [x, y, x + LABEL_TILE, y + LABEL_TILE];
  };
  const tileAt = (key: number): Uint32Array => {
    const known = tiles.get(key);
    if (known) return known;
    const made = paint(tileBox(key), 1);
    tiles.set(key, made);
    const oldest = tiles.keys().next();
    if (tiles.size > MOST_TILES && !oldest.done) tiles.delete(oldest.value);
    return made;
  };

  const readFull = (window: Box): Uint32Array => {
    const out = new Uint32Array(boxWidth(window) * boxHeight(window));
    const inside = boxIntersect(window, [0, 0, width, height]);
    for (let top = inside[1]; top < inside[3]; ) {
      const row = Math.floor(top / LABEL_TILE);
      const bottom = Math.min(inside[3], (row + 1) * LABEL_TILE);
      for (let left = inside[0]; left < inside[2]; ) {
        const column = Math.floor(left / LABEL_TILE);
        const right = Math.min(inside[2], (column + 1) * LABEL_TILE);
        const tile = tileAt(row * columns + column);
        for (let y = top; y < bottom; y++) {
          const from = (y - row * LABEL_TILE) * LABEL_TILE - column * LABEL_TILE;
          out.set(tile.subarray(from + left, from + right), (y - window[1]) * boxWidth(window) + left - window[0]);
        }
        left = right;
      }
      top = bottom;
    }
    return out;
  };

  return {
    at(x, y) {
      if (x < 0 || y < 0 || x >= width || y >= height) return BACKGROUND_SLOT;
      const [column, row] = [Math.floor(x / LABEL_TILE), Math.floor(y / LABEL_TILE)];
      const tile = tileAt(row * columns + column);
      return tile[(y - row * LABEL_TILE) * LABEL_TILE + x - column * LABEL_TILE] ?? BACKGROUND_SLOT;
    },
    read: (window, step) => (step === 1 ? readFull(window) : paint(window, step)),
    repaint(box) {
      for (const [key, tile] of tiles) {
        const whole = tileBox(key);
        const part = boxIntersect(whole, box);
        if (boxIsEmpty(part)) continue;
        const fresh = paint(part, 1);
        const partWidth = boxWidth(part);
        for (let y = part[1]; y < part[3]; y++) {
          const row = fresh.subarray((y - part[1]) * partWidth, (y - part[1] + 1) * partWidth);
          tile.set(row, (y - whole[1]) * LABEL_TILE + part[0] - whole[0]);
        }
      }
    },
    clear: () => tiles.clear(),
  };
}
