import { type Box, boxWidth } from "./box";
import { type Cell, type Patch, PatchError, checkCell, patchIds, patchIsEmpty } from "./patch";

/** Reading what came from outside (the server, this browser's own storage): the same rules as `labeling/patch.py`. */

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function record(value: unknown, keys: readonly string[], what: string): Json {
  if (!isObject(value)) throw new PatchError(`${what} is an object`);
  const found = Object.keys(value);
  if (found.length !== keys.length || !keys.every((key) => found.includes(key))) {
    throw new PatchError(`${what} has exactly the keys ${keys.join(", ")}`);
  }
  return value;
}

function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new PatchError(`${name} is a list`);
  return value;
}

function integers(value: unknown, name: string): number[] {
  return list(value, name).map((item) => {
    if (typeof item !== "number" || !Number.isInteger(item)) throw new PatchError(`${name} holds whole numbers`);
    return item;
  });
}

export function readBox(value: unknown): Box {
  const numbers = integers(value, "box");
  if (numbers.length !== 4) throw new PatchError("a box has four numbers");
  return [numbers[0], numbers[1], numbers[2], numbers[3]];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const isUuid = (value: unknown): value is string => typeof value === "string" && UUID.test(value);

const CELL_KEYS = ["id", "label", "box", "rle", "score", "source", "model_version", "class_id"];

/** A cell in its wire form. One written before there were classes has no `class_id`; it is read as null. */
export function readCell(value: unknown): Cell {
  const cell = record(isObject(value) ? { class_id: null, ...value } : value, CELL_KEYS, "a cell");
  if (typeof cell.id !== "string") throw new PatchError("a cell's id is a UUID");
  if (typeof cell.label !== "number") throw new PatchError("a label is a whole number above 0");
  if (cell.score !== null && typeof cell.score !== "number") throw new PatchError("a score is a number or null");
  if (cell.source !== "model" && cell.source !== "person") throw new PatchError("a source is 'model' or 'person'");
  if (cell.model_version !== null && typeof cell.model_version !== "string") throw new PatchError("a model version is a UUID");
  if (cell.class_id !== null && !isUuid(cell.class_id)) throw new PatchError("a class is a UUID or null");
  return {
    id: cell.id,
    label: cell.label,
    box: readBox(cell.box),
    rle: integers(cell.rle, "rle"),
    score: cell.score,
    source: cell.source,
    model_version: cell.model_version,
    class_id: cell.class_id,
  };
}

export function readPatch(value: unknown): Patch {
  const patch = record(value, ["added", "updated", "removed"], "a patch");
  return {
    added: list(patch.added, "added").map(readCell),
    updated: list(patch.updated, "updated").map((item) => {
      const update = record(item, ["before", "after"], "an update");
      const [before, after] = [readCell(update.before), readCell(update.after)];
      if (before.id !== after.id) throw new PatchError("an update keeps the id of its cell");
      return { before, after };
    }),
    removed: list(patch.removed, "removed").map(readCell),
  };
}

/** Whether the set pixels reach all four sides of the box, from the runs alone. */
function isTight(cell: Cell): boolean {
  const width = boxWidth(cell.box);
  const last = cell.box[3] - cell.box[1] - 1;
  const sides = { left: false, right: false, top: false, bottom: false };
  let at = 0;
  cell.rle.forEach((run, index) => {
    if (index % 2 === 1) {
      const end = at + run - 1;
      const wraps = Math.floor(at / width) !== Math.floor(end / width);
      sides.left ||= wraps || at % width === 0;
      sides.right ||= wraps || end % width === width - 1;
      sides.top ||= at < width;
      sides.bottom ||= Math.floor(end / width) === last;
    }
    at += run;
  });
  return sides.left && sides.right && sides.top && sides.bottom;
}

/** Throws PatchError if `patch` could not be applied to any document of this size. */
export function checkPatch(patch: Patch, height: number, width: number): void {
  if (patchIsEmpty(patch)) throw new PatchError("the patch changes nothing");
  const ids = patchIds(patch);
  if (new Set(ids).size !== ids.length) throw new PatchError("a patch names each cell once");
  for (const cell of [...patch.added, ...patch.updated.map((update) => update.after)]) {
    checkCell(cell, height, width);
    if (!isTight(cell)) throw new PatchError(`cell ${cell.label}: its box is larger than the cell`);
  }
}
