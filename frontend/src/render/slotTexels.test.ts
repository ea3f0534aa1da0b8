import fc from "fast-check";
import { expect, test } from "vitest";

import { DISTANCE_LEAST, DISTANCE_SCALE, FAR, REACH, SLOT_BITS, withDistances } from "./slotTexels";

const slotOf = (texel: number): number => texel & ((1 << SLOT_BITS) - 1);
const storedOf = (texel: number): number => texel >>> SLOT_BITS;
const distanceOf = (texel: number): number => storedOf(texel) / DISTANCE_SCALE + DISTANCE_LEAST;

/** A square of `side` inner texels, whose slot at (x, y) is `slot(x, y)`. */
function texels(side: number, slot: (x: number, y: number) => number): Uint32Array {
  const width = side + 2 * REACH;
  const slots = Uint32Array.from({ length: width * width }, (_, i) => slot((i % width) - REACH, Math.floor(i / width) - REACH));
  return withDistances(slots, width);
}

test("every texel keeps its slot, and is far exactly if no other slot lies within reach", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(500), { maxLength: 4 }), (innerWidth, innerHeight, odd) => {
      const width = innerWidth + 2 * REACH;
      const slots = new Uint32Array(width * (innerHeight + 2 * REACH)).fill(7);
      for (const at of odd) slots[at % slots.length] = 4_000_000;
      const made = withDistances(slots, width);
      expect(made).toHaveLength(innerWidth * innerHeight);
      made.forEach((texel, index) => {
        const [x, y] = [(index % innerWidth) + REACH, Math.floor(index / innerWidth) + REACH];
        const around = new Set<number>();
        for (let dy = -REACH; dy <= REACH; dy++) for (let dx = -REACH; dx <= REACH; dx++) around.add(slots[(y + dy) * width + x + dx]);
        expect(slotOf(texel)).toBe(slots[y * width + x]);
        expect(storedOf(texel) === FAR).toBe(around.size === 1);
      });
    }),
  );
});

test("beside a straight border the distance is that of the texel's middle, the same on both sides", () => {
  const row = texels(8, (x) => (x < 4 ? 2 : 3)).subarray(0, 8);
  expect(distanceOf(row[3])).toBeCloseTo(0.5, 1);
  expect(distanceOf(row[2])).toBeCloseTo(1.5, 1);
  expect([3, 2].map((x) => row[x] >>> SLOT_BITS)).toEqual([4, 5].map((x) => row[x] >>> SLOT_BITS));
});

test("a line of one pixel keeps an inside", () => {
  const made = texels(5, (x) => (x === 2 ? 9 : 0));
  expect(distanceOf(made[2 * 5 + 2])).toBeGreaterThan(0);
});

test("a corner pixel that juts out is smoothed away", () => {
  const made = texels(5, (x, y) => (y > 2 || (x === 2 && y === 2) ? 9 : 0));
  expect(distanceOf(made[2 * 5 + 2])).toBeLessThan(0.1);
});
