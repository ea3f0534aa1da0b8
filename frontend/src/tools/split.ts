import type { Point } from "../document/contour";
import { maskHolds } from "../document/mask";
import { type Cell, type Patch, patchIsEmpty } from "../document/patch";
import { splitBySeeds } from "../document/splitting";
import { cellAt, commitOr } from "./drawing";
import { readPixels } from "./reading";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool, pixelAt } from "./trace";

const KEY = "split";

/** After a split: the words for it, and its parts as the selection. */
export function commitSplit(context: ToolContext, patch: Patch, otherwise: string): void {
  const { updated, added } = patch;
  const words =
    updated.length === 1 ? `Cell ${updated[0].before.label} split into ${added.length + 1}` : `${updated.length} cells split into ${updated.length + added.length}`;
  if (commitOr(context, patch, words, otherwise) && !patchIsEmpty(patch)) {
    context.selection.set([...updated.map(({ before }) => before.id), ...added.map((cell) => cell.id)]);
  }
}

/** W: two clicks in a cell, one in each half: a watershed between them makes two cells of it. */
export function createSplit(context: ToolContext): Tool {
  let first: { readonly id: string; readonly seed: Point } | null = null;

  const drop = (): boolean => {
    const busy = first !== null;
    first = null;
    context.marks.drop(KEY);
    return busy;
  };
  const begin = (cell: Cell, seed: Point): void => {
    first = { id: cell.id, seed };
    context.selection.set([cell.id]);
    const points = [{ x: seed.x + 0.5, y: seed.y + 0.5, positive: true }];
    context.marks.put(KEY, { box: cell.box, state: "drawing", tag: "Click the other half", points });
  };
  const split = async (id: string, seeds: readonly [Point, Point]): Promise<void> => {
    const cell = context.document.get(id);
    if (!cell) return;
    const byLight = context.options.splitBy === "intensity";
    const samples = byLight ? await readPixels(context, cell.box, KEY) : undefined;
    // The samples are those of the cell as it was when they were asked for.
    if (samples === null || context.document.get(id) !== cell) return;
    commitSplit(context, splitBySeeds(context.document, cell, seeds, context.newId, samples), "Click two different places in the cell.");
  };

  return createTraceTool(context, {
    key: KEY,
    cursor: "crosshair",
    shape: null,
    hints: () => (first ? [{ keys: "Click", does: "the other half" }, { keys: "Esc", does: "start again" }] : [{ keys: "Click", does: "one half of the cell" }, { keys: "Drag", does: "pan" }]),
    click(at) {
      const seed = pixelAt(at);
      const begun = first && context.document.get(first.id);
      if (first && begun && maskHolds(begun, seed.x, seed.y)) {
        const { id, seed: other } = first;
        drop();
        void split(id, [other, seed]);
        return;
      }
      const cell = cellAt(context, at);
      if (cell) begin(cell, seed);
      else context.say("Click in the cell to split.");
    },
    pending: () => first !== null,
    cancel: drop,
    back: drop,
  });
}
