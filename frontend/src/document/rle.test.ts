import fc from "fast-check";
import { expect, test } from "vitest";

import { RleError, decode, encode, runsArea } from "./rle";

test("it works", () => {
  expect(encode(Uint8Array.of(0, 0, 1, 1, 1, 0))).toEqual([2, 3, 1]);
  expect(encode(Uint8Array.of(1, 0))).toEqual([0, 1, 1]);
  expect([...decode([2, 3, 1], 2, 3)]).toEqual([0, 0, 1, 1, 1, 0]);
});

test("any mask survives the round trip", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }), (bits) => {
      const mask = Uint8Array.from(bits, Number);
      const runs = encode(mask);
      expect([...decode(runs, 1, mask.length)]).toEqual([...mask]);
      expect(runsArea(runs)).toBe(bits.filter(Boolean).length);
    }),
  );
});

test.each([[[3, -1]], [[1, 0, 1]], [[1, 2]], [[1.5, 2.5]]])("it rejects the runs %j for four pixels", (runs) => {
  expect(() => decode(runs, 2, 2)).toThrow(RleError);
});
