import { boxHeight, boxWidth } from "../box";
import type { Bitmap } from "../mask";
import { forNeighbours } from "./flood";

/** A queue that gives the lowest value first and, among equals, what was put in first. A binary heap. */
function createQueue(): { push(value: number, index: number): void; pop(): number | undefined } {
  const heap: { value: number; order: number; index: number }[] = [];
  let order = 0;
  const before = (a: number, b: number): boolean =>
    heap[a].value < heap[b].value || (heap[a].value === heap[b].value && heap[a].order < heap[b].order);
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b], heap[a]];
  };
  return {
    push(value, index) {
      let at = heap.push({ value, order: order++, index }) - 1;
      while (at > 0 && before(at, (at - 1) >> 1)) {
        swap(at, (at - 1) >> 1);
        at = (at - 1) >> 1;
      }
    },
    pop() {
      const first = heap[0]?.index;
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return first;
      heap[0] = last;
      for (let at = 0; ; ) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && before(child, least)) least = child;
        if (least === at) return first;
        swap(at, least);
        at = least;
      }
    },
  };
}

/**
 * Floods `mask` from numbered seeds, low ground of `landscape` first, without lines between the basins (F. Meyer,
 * "Un algorithme optimal pour la ligne de partage des eaux", 1991). `landscape` and `seeds` (0: none) have a value for each
 * pixel of the mask's box. Gives each pixel its seed's number; 0 outside the mask and where no seed leads to.
 */
export function watershed(mask: Bitmap, landscape: Float32Array, seeds: Int32Array): Int32Array {
  const [width, height] = [boxWidth(mask.box), boxHeight(mask.box)];
  const basins = new Int32Array(mask.bits.length);
  const levels = new Float32Array(mask.bits.length);
  const queue = createQueue();
  // Water never falls: a pixel behind a ridge is reached at the ridge's height.
  const give = (index: number, basin: number, level: number): void => {
    basins[index] = basin;
    levels[index] = Math.max(level, landscape[index]);
    queue.push(levels[index], index);
  };
  seeds.forEach((seed, index) => {
    if (seed > 0 && mask.bits[index]) give(index, seed, -Infinity);
  });
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    const [basin, level] = [basins[index], levels[index]];
    forNeighbours(index, width, height, 8, (neighbour) => {
      if (mask.bits[neighbour] && basins[neighbour] === 0) give(neighbour, basin, level);
    });
  }
  return basins;
}
