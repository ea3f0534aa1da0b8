import { boxIntersect, boxIsEmpty } from "./box";
import { type CellsView, createDraft } from "./draft";
import { bitmapCut, bitmapOf, tightMask } from "./mask";
import { type OverlapPolicy, claimPixels } from "./overlap";
import { type Cell, EMPTY_PATCH, type Patch } from "./patch";

export interface Placing {
  /** Image pixels by which the copies lie beside the originals. */
  readonly dx: number;
  readonly dy: number;
  readonly policy: OverlapPolicy;
  readonly newId: () => string;
  /** Labels that copies keep where they can, as through the frames of a series; otherwise they get new ones. */
  readonly keepsLabel: (label: number) => boolean;
}

function placeOne(document: CellsView, cell: Cell, { dx, dy, policy, newId, keepsLabel }: Placing): Patch {
  const { box, bits } = bitmapOf(cell);
  const moved = { box: [box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy] as const, bits };
  const inside = boxIntersect(moved.box, [0, 0, document.width, document.height]);
  if (boxIsEmpty(inside)) return EMPTY_PATCH;
  const { pixels, losses } = claimPixels(document, bitmapCut(moved, inside), null, policy);
  const mask = tightMask(pixels);
  if (!mask) return EMPTY_PATCH;
  const label = keepsLabel(cell.label) ? cell.label : document.nextLabel();
  const added: Cell = { ...cell, id: newId(), label, box: mask.box, rle: mask.rle, score: null, source: "person" };
  return { ...losses, added: [added] };
}

/** Puts copies of `cells` (of this or another image) into the document, each with what pixels the policy gives it. */
export function placeCopies(document: CellsView, cells: readonly Cell[], placing: Placing): Patch {
  const draft = createDraft(document);
  for (const cell of cells) draft.apply(placeOne(draft, cell, placing));
  return draft.patch;
}

/**
 * Puts `cells` of one frame at the same place of another (`document`). Each keeps its label, and so its colour, where that is free
 * there; elsewhere it gets a new one. Looks through the labels of the whole target once.
 */
export function copyToFrame(document: CellsView & { cells(): IterableIterator<Cell> }, cells: readonly Cell[], policy: OverlapPolicy, newId: () => string): Patch {
  const taken = new Set([...document.cells()].map((cell) => cell.label));
  const keepsLabel = (label: number): boolean => !taken.has(label);
  // Those that keep theirs first: a new label must not take one that a later copy brings along.
  const ordered = [...cells].sort((a, b) => Number(keepsLabel(b.label)) - Number(keepsLabel(a.label)));
  return placeCopies(document, ordered, { dx: 0, dy: 0, policy, newId, keepsLabel });
}
