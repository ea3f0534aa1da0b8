import fc from "fast-check";
import { expect, test } from "vitest";

import { MIXED, REACH, markBorders } from "./slotTexels";

test("a texel is marked exactly if another slot lies within reach", () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 14 }), fc.integer({ min: 5, max: 12 }), fc.array(fc.nat(500), { maxLength: 4 }), (width, height, odd) => {
      const slots = new Uint32Array(width * height).fill(7);
      for (const at of odd) slots[at % slots.length] = 9;
      const marked = markBorders(slots, width);
      const inner = width - 2 * REACH;
      expect(marked).toHaveLength(inner * (height - 2 * REACH));
      marked.forEach((texel, index) => {
        const [x, y] = [(index % inner) + REACH, Math.floor(index / inner) + REACH];
        const around = new Set<number>();
        for (let dy = -REACH; dy <= REACH; dy++) for (let dx = -REACH; dx <= REACH; dx++) around.add(slots[(y + dy) * width + x + dx]);
        expect(texel).toBe(slots[y * width + x] + (around.size > 1 ? MIXED : 0));
      });
    }),
  );
});
