import type { BoxMask } from "../document/mask";
import type { Patch } from "../document/patch";
import type { PreviewLayer } from "../document/preview";
import type { DocumentReader } from "../document/store";

/** One pointer event, in image pixels (x, y: fractions count) and screen pixels. */
export interface PointerInput {
  readonly x: number;
  readonly y: number;
  readonly screenX: number;
  readonly screenY: number;
  readonly shift: boolean;
  /** Ctrl, or Cmd on a Mac. */
  readonly mod: boolean;
  readonly alt: boolean;
  /** 2 for the second press of a double click. */
  readonly clicks: number;
}

/** A key and what it does now, for the status bar. */
export interface Hint {
  readonly keys: string;
  readonly does: string;
}

/** A small state machine: idle, or in a gesture. Nothing in the document changes before the gesture is complete. */
export interface Tool {
  readonly cursor: string;
  readonly dragging: boolean;
  readonly hints: readonly Hint[];
  down(at: PointerInput): void;
  /** The pointer moved, with or without a gesture. */
  move(at: PointerInput): void;
  up(at: PointerInput): void;
  /** The pointer rested for a moment during a gesture. */
  rest?(): void;
  /** One step back, for Escape. False if there was nothing to step back from. */
  cancel(): boolean;
}

export interface DecodedMask {
  readonly mask: BoxMask;
  readonly score: number;
  readonly modelVersion: string;
}

export type ToolMark = {
  readonly box: readonly [number, number, number, number];
  readonly state: "drawing" | "waiting" | "failed";
  readonly tag: string;
};

/** All that a tool may touch. */
export interface ToolContext {
  readonly document: DocumentReader;
  readonly preview: PreviewLayer;
  readonly selection: { readonly ids: ReadonlySet<string>; set(ids: Iterable<string>): void };
  readonly view: { panBy(dx: number, dy: number): void; fit(): void };
  readonly brush: { readonly radius: number };
  readonly marks: { put(key: string, mark: ToolMark): void; drop(key: string): void };
  /** The mask for a box. Rejects with an Error whose message is fit for people; `onWait` says why it takes longer. */
  decode(box: readonly [number, number, number, number], signal: AbortSignal, onWait: (words: string) => void): Promise<DecodedMask>;
  /** Applies a change as one step of undo; `words` name it. */
  commit(patch: Patch, words: string): void;
  /** A short sentence for the status bar. */
  say(words: string): void;
  newId(): string;
  /** A number of pixels as an area in words, in µm² where the pixel size is known. */
  area(pixels: number): string;
}

/** Screen pixels that a hand may tremble during a click. */
export const CLICK_SLACK = 4;
