/** The files of tests/fixtures are read by pytest too: both sides must agree on them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { bitmapOf, tightMask } from "./mask";
import { type Cell, PatchError, applyPatch, cellArea, invert } from "./patch";
import { decode, encode } from "./rle";
import { checkPatch, readCell, readPatch } from "./wire";

interface RleCase {
  name: string;
  height: number;
  width: number;
  rows: string[];
  rle: number[];
  x: number;
  y: number;
  tight: { box: number[]; rle: number[]; area: number } | null;
}

interface PatchFixture {
  height: number;
  width: number;
  before: unknown[];
  patch: unknown;
  after: unknown[];
  inverse: unknown;
  without_class: { cell: unknown; read: unknown };
  invalid: { why: string; patch: unknown }[];
}

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, `../../../tests/fixtures/${name}.json`), "utf8"));
}

const masks = (fixture("rle") as { cases: RleCase[] }).cases;
const patches = fixture("patch") as PatchFixture;
const byId = (cells: Cell[]): Map<string, Cell> => new Map(cells.map((cell) => [cell.id, cell]));

test.each(masks)("runs agree with Python's: $name", ({ rows, rle, height, width, x, y, tight }) => {
  const bits = Uint8Array.from([...rows.join("")], (mark) => (mark === "#" ? 1 : 0));
  expect(encode(bits)).toEqual(rle);
  expect(decode(rle, height, width)).toEqual(bits);
  const mask = tightMask({ box: [x, y, x + width, y + height], bits });
  expect(mask && { ...mask, area: cellArea(mask) }).toEqual(tight);
  if (mask) expect(tightMask(bitmapOf(mask))).toEqual(mask);
});

test("the patch agrees with Python's", () => {
  const patch = readPatch(patches.patch);
  const before = byId(patches.before.map(readCell));
  const after = byId(patches.after.map(readCell));
  checkPatch(patch, patches.height, patches.width);
  expect(applyPatch(before, patch)).toEqual(after);
  expect(applyPatch(after, readPatch(patches.inverse))).toEqual(before);
  expect(applyPatch(after, invert(patch))).toEqual(before);
  expect(JSON.parse(JSON.stringify(patch))).toEqual(patches.patch);
});

test("a cell from before there were classes has none", () => {
  expect(readCell(patches.without_class.cell)).toEqual(patches.without_class.read);
});

test.each(patches.invalid)("it refuses: $why", ({ patch }) => {
  expect(() => checkPatch(readPatch(patch), patches.height, patches.width)).toThrow(PatchError);
});
