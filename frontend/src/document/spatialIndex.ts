import type { Box } from "./box";
import { boxesTouch } from "./box";

/** Pixels a side of one bin: about a cell or two, so that a query looks at little more than it returns. */
const BIN = 128;
/** Bins per row in a key; images are far narrower than BIN * this. */
const ROW = 1 << 20;

/** Which cells have a box near a place, at a cost that does not depend on how many cells there are elsewhere. */
export interface SpatialIndex {
  insert(id: string, box: Box): void;
  remove(id: string): void;
  /** Ids whose box touches `box`, in no particular order. */
  query(box: Box): string[];
}

function binsOf(box: Box): number[] {
  const keys: number[] = [];
  for (let row = Math.floor(box[1] / BIN); row * BIN < box[3]; row++) {
    for (let column = Math.floor(box[0] / BIN); column * BIN < box[2]; column++) keys.push(row * ROW + column);
  }
  return keys;
}

export function createSpatialIndex(): SpatialIndex {
  const bins = new Map<number, Set<string>>();
  const boxes = new Map<string, Box>();

  const remove = (id: string): void => {
    const box = boxes.get(id);
    if (!box) return;
    boxes.delete(id);
    for (const key of binsOf(box)) {
      const bin = bins.get(key);
      bin?.delete(id);
      if (bin?.size === 0) bins.delete(key);
    }
  };

  return {
    remove,
    insert(id, box) {
      remove(id);
      boxes.set(id, box);
      for (const key of binsOf(box)) {
        const bin = bins.get(key);
        if (bin) bin.add(id);
        else bins.set(key, new Set([id]));
      }
    },
    query(box) {
      const found = new Set<string>();
      for (const key of binsOf(box)) {
        for (const id of bins.get(key) ?? []) {
          const other = boxes.get(id);
          if (other && boxesTouch(other, box)) found.add(id);
        }
      }
      return [...found];
    },
  };
}
