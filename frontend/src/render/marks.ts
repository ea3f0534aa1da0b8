import type { Box } from "../document/box";

/** What a tool shows over the image besides cells: a box that is being drawn, waits for its mask, or got none. */
export interface Mark {
  readonly box: Box;
  readonly state: "drawing" | "waiting" | "failed";
  /** A short tag at the box's corner: a score, an area. */
  readonly tag: string;
}

/** The round brush at the pointer; image pixels. */
export interface BrushCursor {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly subtracts: boolean;
}
