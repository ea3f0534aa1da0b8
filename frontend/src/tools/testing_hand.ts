/** A hand for the tests: real document, history and tools; only the model's answer is given by the test. */
import { createHistory, type History } from "../document/history";
import type { Cell } from "../document/patch";
import { createPreviewLayer } from "../document/preview";
import type { CellStore } from "../document/store";
import { storeOf } from "../document/testing_cells";
import { FIRST_OPTIONS, type OptionValues } from "./options";
import { type ToolId, createTools } from "./registry";
import type { DecodedMask, PointerInput, Prompt, Tool, ToolContext, ToolMark } from "./tool";

export interface Hand {
  readonly store: CellStore;
  readonly history: History;
  readonly tools: Record<ToolId, Tool>;
  readonly marks: Map<string, ToolMark>;
  readonly said: string[];
  readonly moved: number[][];
  readonly shown: () => number;
  readonly context: ToolContext;
  selection: Set<string>;
  options: OptionValues;
  classId: string | null;
  clipboard: readonly Cell[];
  /** The picture: a sample for each place. */
  picture: (x: number, y: number) => number;
  takesPoints: boolean;
}

export type Answer = (prompt: Prompt, signal: AbortSignal, onWait: (words: string) => void) => Promise<DecodedMask>;

export function handOn(cells: readonly Cell[], answer: Answer = () => Promise.reject(new Error("no model here")), side = 64): Hand {
  const store = storeOf(side, side, cells);
  const history = createHistory(store);
  const preview = createPreviewLayer();
  let ids = 0;
  const hand: Omit<Hand, "tools" | "context"> = {
    store,
    history,
    marks: new Map(),
    said: [],
    moved: [],
    selection: new Set(),
    options: { ...FIRST_OPTIONS, radius: 2 },
    classId: null,
    clipboard: [],
    picture: () => 0,
    takesPoints: true,
    shown() {
      const out = new Uint32Array(64 * 64).fill(9999);
      preview.layOver(out, [0, 0, 64, 64], 1);
      return out.filter((slot) => slot !== 9999).length;
    },
  };
  const context: ToolContext = {
    document: store,
    preview,
    selection: {
      get ids() {
        return hand.selection;
      },
      set: (next) => {
        hand.selection = new Set(next);
      },
    },
    view: { panBy: (dx, dy) => hand.moved.push([dx, dy]), fit: () => hand.moved.push([]) },
    get options() {
      return hand.options;
    },
    get classId() {
      return hand.classId;
    },
    marks: { put: (key, mark) => hand.marks.set(key, mark), drop: (key) => hand.marks.delete(key) },
    model: {
      get takesPoints() {
        return hand.takesPoints;
      },
      decode: answer,
    },
    pixels: {
      channel: 0,
      read: ([x0, y0, x1, y1]) => Float32Array.from({ length: (x1 - x0) * (y1 - y0) }, (_, i) => hand.picture(x0 + (i % (x1 - x0)), y0 + Math.floor(i / (x1 - x0)))),
    },
    clipboard: {
      get cells() {
        return hand.clipboard;
      },
      set: (next) => {
        hand.clipboard = next;
      },
    },
    commit: (patch, words) => history.commit(patch, words),
    say: (words) => hand.said.push(words),
    newId: () => `new-${++ids}`,
    area: (pixels) => `${pixels} px`,
  };
  return Object.assign(hand, { context, tools: createTools(context) });
}

/** The pointer at image pixel (x, y), seen at four screen pixels per image pixel. */
export function at(x: number, y: number, more: Partial<PointerInput> = {}): PointerInput {
  return { x, y, screenX: x * 4, screenY: y * 4, zoom: 4, shift: false, mod: false, alt: false, clicks: 1, ...more };
}

export function drag(tool: Tool, from: PointerInput, ...way: PointerInput[]): void {
  tool.down(from);
  for (const place of way) tool.move(place);
  tool.up(way[way.length - 1] ?? from);
}
