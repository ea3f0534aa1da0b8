import type { Cell } from "../document/patch";
import type { Camera } from "../render/camera";
import type { ChannelLook } from "../render/imageLayer";
import type { ToolId } from "../tools/registry";

/** What a hand keeps when it goes on to another image of the same page: copied cells, the tool, in a stack also the view. */
export interface Carry {
  clipboard: readonly Cell[];
  tool: ToolId | null;
  /** The chosen class, per project. */
  readonly classes: Map<string, string | null>;
  /** How the last frame of a series was looked at. */
  frame: { readonly series: string; readonly camera: Camera; readonly channels: readonly ChannelLook[] } | null;
  /** Cells to put into an image as soon as it is open. */
  paste: { readonly image: string; readonly cells: readonly Cell[] } | null;
}

export const createCarry = (): Carry => ({ clipboard: [], tool: null, classes: new Map(), frame: null, paste: null });

/** One for the page. */
export const carry = createCarry();
