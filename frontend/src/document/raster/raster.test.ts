import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { bitmapOf, bitmapsOverlap, emptyBitmap } from "../mask";
import { drawing, filled, rowsOf, shaped } from "../testing_cells";
import { chanVese } from "./chanVese";
import { bitmapArea, components, pieceAt, pieces } from "./components";
import { distanceInside } from "./distance";
import { floodFrom, reachesRim } from "./flood";
import { dilate, erode, fillHoles } from "./morphology";
import { drawLine, fillPolygon } from "./polygon";
import { hysteresis, spreadOf, triangleThreshold } from "./threshold";
import { watershed } from "./watershed";

const image = { width: 40, height: 40 };
/** Any small mask. */
const masks = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([width, height]) =>
  fc.array(fc.boolean(), { minLength: width * height, maxLength: width * height }).map((bits) => ({
    box: [5, 5, 5 + width, 5 + height] as const,
    bits: Uint8Array.from(bits, Number),
  })),
);

describe("pieces", () => {
  test("corners join pieces with eight neighbours, not with four", () => {
    const drawn = drawing(["#..", ".#.", "..."]);
    expect(components(drawn, 8).count).toBe(1);
    expect(components(drawn, 4).count).toBe(2);
  });

  test("the largest piece comes first, in its own box", () => {
    const found = pieces(drawing(["#..##", "...##"], 10, 20), 8);
    expect(found.map((piece) => piece.box)).toEqual([[13, 20, 15, 22], [10, 20, 11, 21]]);
  });

  test("the piece at a pixel is the one that holds it; beside the mask there is none", () => {
    const drawn = drawing(["##.##"]);
    expect(rowsOf(pieceAt(drawn, 4, 0, 8))).toEqual(["...##"]);
    expect(bitmapArea(pieceAt(drawn, 2, 0, 8))).toBe(0);
    expect(bitmapArea(pieceAt(drawn, 9, 9, 8))).toBe(0);
  });

  test("the pieces of any mask are apart and make up the whole", () => {
    fc.assert(
      fc.property(masks, (mask) => {
        const found = pieces(mask, 8);
        expect(found.reduce((sum, piece) => sum + bitmapArea(piece), 0)).toBe(bitmapArea(mask));
        found.forEach((piece, i) => expect(found.slice(i + 1).some((other) => bitmapsOverlap(piece, other))).toBe(false));
      }),
      { numRuns: 50 },
    );
  });
});

describe("growing, shrinking, holes", () => {
  test("growing adds a square's reach and ends at the image's edge", () => {
    expect(dilate(drawing(["#"], 10, 10), 2, image).box).toEqual([8, 8, 13, 13]);
    expect(bitmapArea(dilate(drawing(["#"], 10, 10), 2, image))).toBe(25);
    expect(dilate(drawing(["#"], 0, 0), 2, image).box).toEqual([0, 0, 3, 3]);
  });

  test("shrinking takes the rim, but not along the image's edge", () => {
    expect(rowsOf(erode(filled([10, 10, 14, 13]), 1, image))).toEqual(["....", ".##.", "...."]);
    expect(rowsOf(erode(filled([0, 0, 3, 3]), 1, image))).toEqual(["##.", "##.", "..."]);
  });

  test("shrinking what was grown gives back at least the first shape", () => {
    fc.assert(
      fc.property(masks, fc.integer({ min: 1, max: 2 }), (mask, steps) => {
        const closed = erode(dilate(mask, steps, image), steps, image);
        expect(rowsOf(closed, mask.box).join("")).toSatisfy((text: string) => mask.bits.every((bit, i) => !bit || text[i] === "#"));
      }),
      { numRuns: 50 },
    );
  });

  test("holes fill, bays do not, and a corner does not let the outside in", () => {
    expect(rowsOf(fillHoles(drawing(["###..", "#.###", "###.#", "..#.#"])))).toEqual(["###..", "#####", "###.#", "..#.#"]);
    expect(rowsOf(fillHoles(drawing([".#.", "#.#", ".#."])))).toEqual([".#.", "###", ".#."]);
  });
});

test("distances are those to the nearest pixel outside", () => {
  const nearest = (mask: { box: readonly number[]; bits: Uint8Array }): number[] => {
    const [width, height] = [mask.box[2] - mask.box[0], mask.box[3] - mask.box[1]];
    return Array.from(mask.bits, (bit, index) => {
      let best = bit ? Infinity : 0;
      for (let y = -1; y <= height; y++) {
        for (let x = -1; x <= width; x++) {
          const inside = x >= 0 && y >= 0 && x < width && y < height && mask.bits[y * width + x];
          if (!inside) best = Math.min(best, Math.hypot(x - (index % width), y - Math.floor(index / width)));
        }
      }
      return best;
    });
  };
  fc.assert(
    fc.property(masks, (mask) => {
      const wanted = nearest(mask);
      distanceInside(mask).forEach((distance, i) => expect(distance).toBeCloseTo(wanted[i], 4));
    }),
    { numRuns: 40 },
  );
});

describe("floods", () => {
  test("a flood stays inside what it accepts and in its box", () => {
    const wall = drawing(["..#..", "..#..", "..#.."]);
    const flood = floodFrom(wall.box, 0, 1, 8, (index) => !wall.bits[index]);
    expect(rowsOf(flood)).toEqual(["##...", "##...", "##..."]);
    expect(bitmapArea(floodFrom(wall.box, 2, 0, 8, (index) => !wall.bits[index]))).toBe(0);
  });

  test("reaching the rim of the box counts only where the image goes on", () => {
    expect(reachesRim(drawing(["##..", "##..", "...."], 0, 0), image)).toBe(false);
    expect(reachesRim(drawing(["##..", "##..", "...."], 1, 0), image)).toBe(true);
    expect(reachesRim(drawing([".##.", "...."], 5, 38), image)).toBe(true);
    expect(reachesRim(drawing(["....", ".##."], 5, 38), image)).toBe(false);
  });
});

describe("polygons and lines", () => {
  test("a polygon fills the pixels whose centres it goes around", () => {
    const triangle = [{ x: 2, y: 2 }, { x: 7, y: 2 }, { x: 2, y: 7 }];
    expect(rowsOf(fillPolygon(triangle, [0, 0, 40, 40]))).toEqual(["####.", "###..", "##...", "#....", "....."]);
  });

  test("a loop that crosses itself keeps what it goes around twice", () => {
    const twice = [{ x: 0, y: 0 }, { x: 6, y: 0 }, { x: 6, y: 6 }, { x: 0, y: 6 }, { x: 0, y: 0 }, { x: 4, y: 0 }, { x: 4, y: 4 }, { x: 0, y: 4 }];
    expect(bitmapArea(fillPolygon(twice, [0, 0, 40, 40]))).toBe(36);
  });

  test("a polygon ends at the image's edge", () => {
    const large = [{ x: -9, y: -9 }, { x: 99, y: -9 }, { x: 99, y: 99 }, { x: -9, y: 99 }];
    expect(bitmapArea(fillPolygon(large, [0, 0, 40, 40]))).toBe(1600);
  });

  test("a part of a large polygon, and of a long line, costs that part alone", () => {
    const far = 1e6;
    const loop = [{ x: -far, y: -far }, { x: far, y: -far }, { x: far, y: far + 0.4 }];
    expect(rowsOf(fillPolygon(loop, [10, 10, 13, 13]))).toEqual(["###", ".##", "..#"]);
    expect(rowsOf(drawLine([{ x: 0.5, y: 11.5 }, { x: 20_000.5, y: 11.5 }], [10, 10, 13, 13]))).toEqual(["###"]);
    expect(bitmapArea(drawLine([{ x: 0.5, y: 11.5 }, { x: 20.5, y: 11.5 }], [30, 10, 33, 13]))).toBe(0);
  });

  test("each pixel of a line shares an edge with the next", () => {
    expect(rowsOf(drawLine([{ x: 1.5, y: 1.5 }, { x: 3.5, y: 3.5 }], [0, 0, 40, 40]))).toEqual(["##.", ".##", "..#"]);
    fc.assert(
      fc.property(fc.array(fc.record({ x: fc.double({ min: 0.1, max: 39, noNaN: true }), y: fc.double({ min: 0.1, max: 39, noNaN: true }) }), { minLength: 2, maxLength: 4 }), (points) => {
        const line = drawLine(points, [0, 0, 40, 40]);
        expect(components(line, 4).count).toBe(1);
        for (const { x, y } of points) expect(bitmapArea(pieceAt(line, Math.floor(x), Math.floor(y), 4))).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("thresholds", () => {
  test("the triangle threshold parts a dim peak from a bright tail, at 16 bits", () => {
    const values = Float32Array.from({ length: 2000 }, (_, i) => (i < 1600 ? 1000 + (i % 40) : 20_000 + ((i * 97) % 30_000)));
    const threshold = triangleThreshold(values);
    expect(threshold).toBeGreaterThan(1040);
    expect(threshold).toBeLessThan(20_000);
  });

  test("a flat picture has nothing above its threshold", () => {
    const flat = new Float32Array(50).fill(7);
    expect(flat.some((value) => value > triangleThreshold(flat))).toBe(false);
  });

  test("hysteresis keeps a weak pixel only beside a strong one", () => {
    const values = Float32Array.of(0, 5, 9, 0, 5, 5, 0);
    expect(rowsOf(hysteresis([0, 0, 7, 1], values, 3, 8))).toEqual([".##...."]);
  });

  test("the spread leaves outliers out and the samples in their order", () => {
    const values = Float32Array.of(3, 1, 2, 65_535, 0);
    expect([spreadOf(values, 0), spreadOf(values, 0.2), spreadOf(new Float32Array(0), 0.2)]).toEqual([65_535, 2, 0]);
    expect([...values]).toEqual([3, 1, 2, 65_535, 0]);
  });
});

describe("watershed", () => {
  test("basins meet on the ridge", () => {
    const mask = filled([0, 0, 7, 1]);
    const basins = watershed(mask, Float32Array.of(0, 1, 2, 9, 1, 1, 0), Int32Array.of(1, 0, 0, 0, 0, 0, 2));
    expect([...basins].slice(0, 3)).toEqual([1, 1, 1]);
    expect([...basins].slice(4)).toEqual([2, 2, 2]);
  });

  test("every pixel that hangs together with a seed gets a basin, no other does", () => {
    fc.assert(
      fc.property(masks, fc.nat(80), (mask, place) => {
        const seed = place % mask.bits.length;
        const seeds = new Int32Array(mask.bits.length);
        seeds[seed] = 1;
        const basins = watershed(mask, Float32Array.from(mask.bits, (_, i) => (i * 7) % 5), seeds);
        const width = mask.box[2] - mask.box[0];
        const piece = pieceAt(mask, mask.box[0] + (seed % width), mask.box[1] + Math.floor(seed / width), 8);
        expect([...basins]).toEqual([...piece.bits]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("Chan-Vese", () => {
  const disc = (cx: number, cy: number, r: number) => (_: unknown, i: number) => Number(Math.hypot((i % 32) - cx, Math.floor(i / 32) - cy) <= r);
  const box = [0, 0, 32, 32] as const;
  const truth = { box, bits: Uint8Array.from({ length: 1024 }, disc(16, 16, 9)) };
  const values = Float32Array.from({ length: 1024 }, (_, i) => 1000 + 3000 * truth.bits[i] + ((i * 37) % 200));
  const iou = (a: Uint8Array, b: Uint8Array): number => a.filter((bit, i) => bit && b[i]).length / a.filter((bit, i) => bit || b[i]).length;

  test.each([["too small", 5], ["too large", 13]])("an outline that is %s moves to the edge", (_, radius) => {
    const start = { box, bits: Uint8Array.from({ length: 1024 }, disc(16, 16, radius)) };
    const found = chanVese(start, values, emptyBitmap(box), { iterations: 100, smoothing: 1 });
    expect(iou(found.bits, truth.bits)).toBeGreaterThan(0.95);
  });

  test("an outline that fits stays, and other cells' pixels are never taken", () => {
    const same = chanVese(truth, values, emptyBitmap(box), { iterations: 100, smoothing: 0 });
    expect(same.bits).toEqual(truth.bits);
    const barred = { box, bits: Uint8Array.from({ length: 1024 }, (_, i) => Number(i % 32 >= 18)) };
    const start = { box, bits: Uint8Array.from({ length: 1024 }, disc(14, 16, 4)) };
    const found = chanVese(start, values, barred, { iterations: 100, smoothing: 1 });
    expect(bitmapsOverlap(found, barred)).toBe(false);
    expect(bitmapArea(found)).toBeGreaterThan(bitmapArea(start));
  });
});

test("a drawing reads back as it was drawn", () => {
  expect(rowsOf(bitmapOf(shaped("a", 1, ["....", ".##.", "..#."], 3, 3)), [3, 3, 7, 6])).toEqual(["....", ".##.", "..#."]);
});
