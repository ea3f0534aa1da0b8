import { boxGrow } from "./box";
import type { Cell } from "./patch";
import type { DocumentReader } from "./store";

/** Eight colours whose closest pair stays apart under every form of colour blindness, [r, g, b] in 0..255. */
export const CELL_PALETTE: readonly (readonly [number, number, number])[] = [
  [0xff, 0xf5, 0x3b],
  [0xb0, 0x6f, 0xff],
  [0xff, 0x52, 0x32],
  [0xb7, 0xff, 0xe6],
  [0xec, 0x7c, 0xb1],
  [0xc3, 0xdb, 0x8f],
  [0xf5, 0xbf, 0xff],
  [0x45, 0xa1, 0x77],
];

/** Cells closer than this (image pixels, by their boxes) should not look alike. */
const NEIGHBOUR_PX = 5;

/** CIE L*a*b* of an sRGB colour, D65: distances in it follow the eye, those in RGB do not. */
function labOf([r, g, b]: readonly [number, number, number]): [number, number, number] {
  const linear = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  const [lr, lg, lb] = [linear[0], linear[1], linear[2]];
  const curve = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (t * 24389) / 27 / 116 + 16 / 116);
  const fx = curve((0.4124 * lr + 0.3576 * lg + 0.1805 * lb) / 0.95047);
  const fy = curve(0.2126 * lr + 0.7152 * lg + 0.0722 * lb);
  const fz = curve((0.0193 * lr + 0.1192 * lg + 0.9505 * lb) / 1.08883);
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

const LABS = CELL_PALETTE.map(labOf);
const DISTANCE = LABS.map((a) => LABS.map((b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])));

/** A colour number (0..7) for each cell, given once and kept for life. */
export interface CellColors {
  of(cell: Cell): number;
}

/** Graph colouring as cells are first looked at: far from the neighbours' colours, else the least used one. */
export function createCellColors(document: DocumentReader): CellColors {
  const given = new Map<string, number>();
  const used = CELL_PALETTE.map(() => 0);

  const choose = (cell: Cell): number => {
    const taken = new Set<number>();
    for (const other of document.near(boxGrow(cell.box, NEIGHBOUR_PX))) {
      const color = given.get(other.id);
      if (color !== undefined && other.id !== cell.id) taken.add(color);
    }
    let best = 0;
    let bestKey = [-1, 0, 0];
    CELL_PALETTE.forEach((_, color) => {
      const apart = Math.min(200, ...[...taken].map((other) => DISTANCE[color][other]));
      // Free colours first, then the furthest from the neighbours', then the least used.
      const key = [taken.has(color) ? 0 : 1, Math.round(apart / 10), -used[color]];
      if (key[0] > bestKey[0] || (key[0] === bestKey[0] && (key[1] > bestKey[1] || (key[1] === bestKey[1] && key[2] > bestKey[2])))) {
        best = color;
        bestKey = key;
      }
    });
    return best;
  };

  const of = (cell: Cell): number => {
    const known = given.get(cell.id);
    if (known !== undefined) return known;
    const color = choose(cell);
    given.set(cell.id, color);
    used[color] += 1;
    return color;
  };
  // By number, not in the order that the server happened to list them: a reload shows the same colours.
  for (const cell of [...document.cells()].sort((a, b) => a.label - b.label)) of(cell);
  return { of };
}
