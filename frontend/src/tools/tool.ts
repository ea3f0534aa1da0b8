import type { Point } from "../document/contour";
import type { BoxMask } from "../document/mask";
import type { Cell, Patch } from "../document/patch";
import type { PreviewLayer } from "../document/preview";
import type { DocumentReader } from "../document/store";
import type { OptionValues } from "./options";
import type { Pixels } from "./pixels";

/** One pointer event, in image pixels (x, y: fractions count) and screen pixels. */
export interface PointerInput {
  readonly x: number;
  readonly y: number;
  readonly screenX: number;
  readonly screenY: number;
  /** Screen pixels per image pixel. */
  readonly zoom: number;
  readonly shift: boolean;
  /** Ctrl, or Cmd on a Mac. */
  readonly mod: boolean;
  /** Alt, or the right button in a tool that `subtracts`. */
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
  /** Clicks were made that wait for more of them, or a mask waits for a word: Enter, Backspace and undo are the tool's. */
  readonly pending?: boolean;
  /** Masks that were asked for and are still to come. */
  readonly waiting?: number;
  /** Alt takes away in this tool, and so does the right button: it comes as `alt`. Elsewhere the right button is not the tool's. */
  readonly subtracts?: boolean;
  down(at: PointerInput): void;
  /** The pointer moved, with or without a gesture. */
  move(at: PointerInput): void;
  up(at: PointerInput): void;
  /** The pointer rested for a moment during a gesture. */
  rest?(): void;
  /** One step back, for Escape. False if there was nothing to step back from. */
  cancel(): boolean;
  /** Enter: what is shown is kept. False if nothing waits for it. */
  accept?(): boolean;
  /** Backspace, and undo during a gesture of several clicks: the last click is taken back. False if there is none. */
  back?(): boolean;
  /** Another tool is taken, or the page is left: what is shown is kept, what is half done is dropped. Without it: `cancel`. */
  leave?(): void;
  /** Resolves once nothing is `waiting`; rejects, in words fit for people, as soon as a mask does not come. */
  settled?(): Promise<void>;
}

export interface DecodedMask {
  readonly mask: BoxMask;
  readonly score: number;
  readonly modelVersion: string;
}

/** A click that says what belongs to the cell (positive) and what does not; image pixels. */
export interface PromptPoint {
  readonly x: number;
  readonly y: number;
  readonly positive: boolean;
}

export interface Prompt {
  readonly box: readonly [number, number, number, number];
  readonly points: readonly PromptPoint[];
}

/** The model behind the smart box. */
export interface Model {
  /** Whether clicks refine a box: the server says so of the active version. */
  readonly takesPoints: boolean;
  /** The mask for a prompt. Rejects with an Error whose message is fit for people; `onWait` says why it takes longer. */
  decode(prompt: Prompt, signal: AbortSignal, onWait: (words: string) => void): Promise<DecodedMask>;
}

/** What a gesture shows over the image besides pixels. */
export interface ToolMark {
  readonly box: readonly [number, number, number, number];
  readonly state: "drawing" | "waiting" | "failed";
  readonly tag: string;
  /** Drawn instead of the box where there is one; image pixels. */
  readonly path?: readonly Point[];
  /** Whether the path goes back to its beginning. */
  readonly closed?: boolean;
  /** Clicks made so far. */
  readonly points?: readonly PromptPoint[];
  /** The model is not sure of what is shown: amber. */
  readonly low?: boolean;
}

/** All that a tool may touch. */
export interface ToolContext {
  readonly document: DocumentReader;
  readonly preview: PreviewLayer;
  readonly selection: { readonly ids: ReadonlySet<string>; set(ids: Iterable<string>): void };
  readonly view: { panBy(dx: number, dy: number): void; fit(): void };
  readonly options: OptionValues;
  /** The class that new cells get and that the class brush gives; null: none. */
  readonly classId: string | null;
  readonly marks: { put(key: string, mark: ToolMark): void; drop(key: string): void };
  readonly model: Model;
  readonly pixels: Pixels;
  /** Copied cells; kept from image to image. */
  readonly clipboard: { readonly cells: readonly Cell[]; set(cells: readonly Cell[]): void };
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
