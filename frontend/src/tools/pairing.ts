import { replaceShape, swapLabels } from "../document/combining";
import type { Cell, Patch } from "../document/patch";
import { commitOr, selectedCell } from "./drawing";
import { otherAt } from "./merge";
import type { Tool, ToolContext } from "./tool";
import { createTraceTool } from "./trace";

interface Pairing {
  readonly key: string;
  readonly firstDoes: string;
  secondDoes(first: Cell): string;
  command(first: Cell, second: Cell): Patch;
  words(first: Cell, second: Cell): string;
}

/** Two clicks on two cells: the first is selected (or was already), the second completes. */
function createPairing(context: ToolContext, { key, firstDoes, secondDoes, command, words }: Pairing): Tool {
  return createTraceTool(context, {
    key,
    cursor: "pointer",
    shape: null,
    hints() {
      const first = selectedCell(context);
      return [{ keys: "Click", does: first ? secondDoes(first) : firstDoes }, { keys: "Esc", does: "start again" }];
    },
    click(at) {
      const first = selectedCell(context);
      const clicked = otherAt(context, at);
      if (first && clicked) commitOr(context, command(first, clicked), words(first, clicked), "Nothing to change.");
      else if (clicked) context.selection.set([clicked.id]);
    },
  });
}

/** R: the first cell takes the shape of the second, which goes. */
export const createReplace = (context: ToolContext): Tool =>
  createPairing(context, {
    key: "replace",
    firstDoes: "the cell whose number stays",
    secondDoes: (first) => `the shape for cell ${first.label}`,
    command: (first, second) => replaceShape(context.document, first.id, second.id),
    words: (first, second) => `Cell ${first.label} takes the shape of cell ${second.label}`,
  });

/** Shift+S: two cells exchange their numbers. */
export const createSwap = (context: ToolContext): Tool =>
  createPairing(context, {
    key: "swap-ids",
    firstDoes: "the first cell",
    secondDoes: (first) => `the cell to swap numbers with ${first.label}`,
    command: (first, second) => swapLabels(context.document, first.id, second.id),
    words: (first, second) => `Cells ${first.label} and ${second.label} swapped numbers`,
  });
