import fc from "fast-check";
import { expect, test } from "vitest";

import { type Box, boxHolds } from "../document/box";
import { uncovered, withDamage } from "./damage";

const boxes = fc
  .tuple(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
  .map(([x, y, width, height]): Box => [x, y, x + width, y + height]);

test("whatever was damaged is drawn again, in few parts", () => {
  fc.assert(
    fc.property(fc.array(boxes, { maxLength: 20 }), (all) => {
      const parts = all.reduce<Box[]>(withDamage, []);
      expect(parts.length).toBeLessThanOrEqual(8);
      for (const [x0, y0, x1, y1] of all) {
        for (const [x, y] of [[x0, y0], [x1 - 1, y1 - 1], [x0, y1 - 1]]) expect(parts.some((part) => boxHolds(part, x, y))).toBe(true);
      }
    }),
  );
});

test("two changes far apart stay two small parts", () => {
  expect(withDamage([[0, 0, 10, 10]], [900, 900, 910, 910])).toEqual([[0, 0, 10, 10], [900, 900, 910, 910]]);
});

test("a dab inside what is damaged already adds nothing", () => {
  expect(withDamage([[0, 0, 100, 100]], [20, 20, 30, 30])).toEqual([[0, 0, 100, 100]]);
});

test("after a shift exactly what came into view is missing", () => {
  fc.assert(
    fc.property(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -7, max: 7 }), (dx, dy) => {
      const strips = uncovered({ width: 10, height: 8 }, dx, dy);
      for (let y = 0; y < 8; y++) {
        for (let x = 0; x < 10; x++) {
          const known = x - dx >= 0 && x - dx < 10 && y - dy >= 0 && y - dy < 8;
          expect(strips.some((strip) => boxHolds(strip, x, y))).toBe(!known);
        }
      }
    }),
  );
});
