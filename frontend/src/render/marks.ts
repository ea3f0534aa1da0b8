import type { Box } from "../document/box";
import type { Point } from "../document/contour";

/** What a tool shows over the image besides cells: a box or a line that is being drawn, waits for its mask, or got none. */
export interface Mark {
  readonly box: Box;
  readonly state: "drawing" | "waiting" | "failed";
  /** A short tag at the box's corner: a score, an area. */
  readonly tag: string;
  /** Drawn instead of the box where there is one; image pixels. */
  readonly path?: readonly Point[];
  /** Whether the path goes back to its beginning. */
  readonly closed?: boolean;
  /** Clicks made so far. */
  readonly points?: readonly { readonly x: number; readonly y: number; readonly positive: boolean }[];
  /** The model is not sure of what is shown. */
  readonly low?: boolean;
}

/** The round brush at the pointer; image pixels. */
export interface BrushCursor {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly subtracts: boolean;
}
