import { keepOnly, removeBorderCells, removeSmallerThan } from "../document/bulk";
import { copyToFrame, placeCopies } from "../document/copying";
import { type CellsView, forEachCell } from "../document/draft";
import { type Cell, type Patch, patchIsEmpty } from "../document/patch";
import { fillCellHoles, growCell, shrinkCell } from "../document/reshaping";
import { autofitBox, autofitCells } from "./autofit";
import { commitOr } from "./drawing";
import type { OptionId } from "./options";
import { readPixels } from "./reading";
import type { ToolContext } from "./tool";

/** What is done at once, without the pointer: to the selected cells or to the whole image. */
export interface Operation {
  readonly id: string;
  readonly name: string;
  readonly key: string | null;
  /** A Tabler icon. */
  readonly icon: string;
  readonly needs: "selection" | "image" | "clipboard";
  readonly options: readonly OptionId[];
  readonly says: string;
  /** Whether it changes cells, which an image that is only looked at does not allow. */
  readonly changes: boolean;
  /** One step of undo. A promise where the picture is read first. */
  run(context: ToolContext): void | Promise<void>;
}

const nameOf = (cells: readonly Cell[]): string => (cells.length === 1 ? `Cell ${cells[0].label}` : `${cells.length} cells`);

const selectedCells = ({ document, selection }: ToolContext): Cell[] => [...selection.ids].flatMap((id) => document.get(id) ?? []);

/** Commits what was done to cells that may be out of sight, and says so. */
function commitAloud(context: ToolContext, patch: Patch, words: string, otherwise: string): void {
  if (commitOr(context, patch, words, otherwise)) context.say(words);
}

/** Changes each selected cell, each seeing what the ones before it did. */
function changeSelected(context: ToolContext, done: string, otherwise: string, change: (draft: CellsView, cell: Cell) => Patch): void {
  const cells = selectedCells(context);
  if (cells.length === 0) context.say("Select a cell first.");
  else commitOr(context, forEachCell(context.document, context.selection.ids, change), `${nameOf(cells)} ${done}`, otherwise);
}

function removeAloud(context: ToolContext, patch: Patch, otherwise: string): void {
  commitAloud(context, patch, `${nameOf(patch.removed)} removed`, otherwise);
}

async function autofit(context: ToolContext): Promise<void> {
  const cells = selectedCells(context);
  if (cells.length === 0) context.say("Select a cell first.");
  const read = new Map<Cell, Float32Array>();
  for (const cell of cells) {
    const samples = await readPixels(context, autofitBox(cell, context.document), "autofit");
    if (!samples) return;
    read.set(cell, samples);
  }
  if (cells.length > 0) commitOr(context, autofitCells(context.document, read, context.options), `${nameOf(cells)} fitted to the picture`, "The outline fits already, or nothing stands out there.");
}

/** Image pixels between a cell and its duplicate. */
const DUPLICATE_GAP = 2;

function duplicate(context: ToolContext): void {
  const { document, options, newId } = context;
  const cells = selectedCells(context);
  if (cells.length === 0) {
    context.say("Select a cell first.");
    return;
  }
  const [left, right] = [Math.min(...cells.map(({ box }) => box[0])), Math.max(...cells.map(({ box }) => box[2]))];
  const way = right - left + DUPLICATE_GAP;
  const dx = right + way <= document.width ? way : -way;
  const patch = placeCopies(document, cells, { dx, dy: 0, policy: options.overlap, newId, keepsLabel: () => false });
  if (commitOr(context, patch, `${nameOf(cells)} duplicated`, "No free pixel beside it for a duplicate.")) context.selection.set(patch.added.map(({ id }) => id));
}

function pasteInPlace(context: ToolContext): void {
  const { cells } = context.clipboard;
  const patch = copyToFrame(context.document, cells, context.options.overlap, context.newId);
  const otherwise = cells.length === 0 ? "Nothing was copied yet. Select cells and copy them first." : "No free pixel there for the copy.";
  commitAloud(context, patch, `${nameOf(patch.added)} pasted`, otherwise);
  if (!patchIsEmpty(patch)) context.selection.set(patch.added.map(({ id }) => id));
}

export const OPERATIONS = [
  {
    id: "fill-holes",
    name: "Fill holes",
    key: "shift+f",
    icon: "IconCircleDot",
    needs: "selection",
    options: ["overlap"],
    says: "Fills the holes of the selected cells.",
    changes: true,
    run: (context) =>
      changeSelected(context, "filled", "No holes to fill.", (draft, cell) => fillCellHoles(draft, cell, context.options.overlap)),
  },
  {
    id: "shrink",
    name: "Shrink",
    key: "q",
    icon: "IconArrowsMinimize",
    needs: "selection",
    options: ["steps"],
    says: "Shrinks the selected cells on all sides.",
    changes: true,
    run: (context) =>
      changeSelected(context, "shrunk", "Too small to shrink.", (draft, cell) => shrinkCell(draft, cell, context.options.steps)),
  },
  {
    id: "grow",
    name: "Grow",
    key: "shift+q",
    icon: "IconArrowsMaximize",
    needs: "selection",
    options: ["steps", "overlap"],
    says: "Grows the selected cells on all sides.",
    changes: true,
    run: (context) =>
      changeSelected(context, "grown", "No room to grow.", (draft, cell) => growCell(draft, cell, context.options.steps, context.options.overlap)),
  },
  {
    id: "autofit",
    name: "Autofit",
    key: "j",
    icon: "IconMagnet",
    needs: "selection",
    options: ["iterations", "smoothing", "overlap"],
    says: "Moves the outline of the selected cells to where the picture changes.",
    changes: true,
    run: autofit,
  },
  {
    id: "copy",
    name: "Copy",
    key: "mod+c",
    icon: "IconCopy",
    needs: "selection",
    options: [],
    says: "Copies the selected cells; the paste tool puts them down, here or in another image.",
    changes: false,
    run(context) {
      const cells = selectedCells(context);
      if (cells.length > 0) context.clipboard.set(cells);
      context.say(cells.length > 0 ? `${nameOf(cells)} copied` : "Select a cell first.");
    },
  },
  {
    id: "paste-in-place",
    name: "Paste in place",
    key: "mod+shift+v",
    icon: "IconClipboardCheck",
    needs: "clipboard",
    options: ["overlap"],
    says: "Puts the copied cells where they were, with their numbers where those are free: for the next frame.",
    changes: true,
    run: pasteInPlace,
  },
  {
    id: "duplicate",
    name: "Duplicate",
    key: "mod+d",
    icon: "IconCopyPlus",
    needs: "selection",
    options: ["overlap"],
    says: "Puts a copy of the selected cells beside them.",
    changes: true,
    run: duplicate,
  },
  {
    id: "keep-only",
    name: "Keep only these",
    key: null,
    icon: "IconFilter",
    needs: "selection",
    options: [],
    says: "Removes every cell that is not selected.",
    changes: true,
    run: (context) =>
      removeAloud(context, keepOnly(context.document, context.selection.ids), "Select the cells to keep first."),
  },
  {
    id: "remove-border",
    name: "Remove border cells",
    key: null,
    icon: "IconBorderOuter",
    needs: "image",
    options: ["margin"],
    says: "Removes the cells that the image's edge cuts.",
    changes: true,
    run: (context) =>
      removeAloud(context, removeBorderCells(context.document, context.options.margin), "No cell touches the image's edge."),
  },
  {
    id: "remove-small",
    name: "Remove small cells",
    key: null,
    icon: "IconGrain",
    needs: "image",
    options: ["smallerThan"],
    says: "Removes the cells smaller than this.",
    changes: true,
    run: (context) =>
      removeAloud(context, removeSmallerThan(context.document, context.options.smallerThan), "No cell is that small."),
  },
] as const satisfies readonly Operation[];

export type OperationId = (typeof OPERATIONS)[number]["id"];

export const isOperationId = (id: string): id is OperationId => OPERATIONS.some((operation) => operation.id === id);

/** Runs an operation; rejects only for what is wrong with the program. */
export async function runOperation(id: OperationId, context: ToolContext): Promise<void> {
  const operation: Operation | undefined = OPERATIONS.find((known) => known.id === id);
  await operation?.run(context);
}
