/** What an edit reads does not grow with the cells elsewhere: counted in cells that the index hands out, never in time. */
import { expect, test } from "vitest";

import { deleteInLoop } from "./bulk";
import { mergeCells, swapLabels } from "./combining";
import { addCell, classifyCells, deleteCells, eraseCells, paintCell, promptCell } from "./commands";
import { placeCopies } from "./copying";
import { type CellsView, forEachCell } from "./draft";
import type { Cell, Patch } from "./patch";
import { fillCellHoles, growCell, shrinkCell, trimCell } from "./reshaping";
import { splitByLine, splitBySeeds } from "./splitting";
import type { CellStore } from "./store";
import { around, filled, square, storeOf } from "./testing_cells";

const SIDE = 4096;
const here = square("here", 1, [2000, 2000, 2024, 2024]);
const beside = square("beside", 2, [2024, 2000, 2040, 2024]);

/** The two cells, and a grid of others that leaves their surroundings free. */
function crowd(others: number): CellStore {
  const cells: Cell[] = [here, beside];
  for (let i = 0; i < others; i++) {
    const [x, y] = [(i % 100) * 40, Math.floor(i / 100) * 40];
    if (Math.abs(x - 2010) > 300 || Math.abs(y - 2010) > 300) cells.push(square(`c${i}`, i + 3, [x, y, x + 24, y + 24]));
  }
  return storeOf(SIDE, SIDE, cells);
}

function counted(store: CellStore): { view: CellsView; read: () => number } {
  let count = 0;
  const view: CellsView = {
    width: store.width,
    height: store.height,
    nextLabel: () => store.nextLabel(),
    get(id) {
      count += 1;
      return store.get(id);
    },
    near(box) {
      const found = store.near(box);
      count += found.length;
      return found;
    },
  };
  return { view, read: () => count };
}

const stroke = filled([2010, 2010, 2050, 2050]);
const fresh = { id: "n", score: null, model_version: null };
const newId = () => "n";
const COMMANDS: Record<string, (document: CellsView) => Patch> = {
  add: (document) => addCell(document, stroke, fresh),
  overwrite: (document) => addCell(document, stroke, fresh, "overwrite"),
  prompt: (document) => promptCell(document, here, fresh),
  paint: (document) => paintCell(document, "here", stroke),
  erase: (document) => eraseCells(document, null, stroke),
  delete: (document) => deleteCells(document, ["here"]),
  classify: (document) => classifyCells(document, ["here"], "x"),
  grow: (document) => forEachCell(document, ["here", "beside"], (draft, cell) => growCell(draft, cell, 3, "exclude")),
  shrink: (document) => shrinkCell(document, here, 1),
  "fill holes": (document) => fillCellHoles(document, here, "exclude"),
  trim: (document) => trimCell(document, here, 2001, 2001),
  split: (document) => splitBySeeds(document, here, [{ x: 2001, y: 2001 }, { x: 2020, y: 2020 }], newId),
  cut: (document) => splitByLine(document, here, [{ x: 2010, y: 1990 }, { x: 2010, y: 2030 }], newId),
  merge: (document) => mergeCells(document, ["here", "beside"]),
  swap: (document) => swapLabels(document, "here", "beside"),
  "delete in a loop": (document) => deleteInLoop(document, around(stroke.box)),
  paste: (document) => placeCopies(document, [here], { dx: 10, dy: 10, policy: "exclude", newId, keepsLabel: () => false }),
};

const none = crowd(0);
const many = crowd(10_000);

test("the crowd is one", () => {
  expect([none.size, many.size > 9_000]).toEqual([2, true]);
});

test.each(Object.keys(COMMANDS))("%s reads the same few cells among ten thousand as among two", (name) => {
  const [few, crowded] = [counted(none), counted(many)];
  COMMANDS[name](few.view);
  COMMANDS[name](crowded.view);
  expect(crowded.read()).toBe(few.read());
  expect(few.read()).toBeLessThanOrEqual(10);
});
