import type { ToolId } from "../tools/registry";
import type { Tool } from "../tools/tool";
import type { Value } from "./value";

/** The tool in the hand, and how it is put down. */
export interface InHand {
  readonly tool: Value<ToolId>;
  /** What is shown is kept, what is half done is dropped. */
  putDownTool(): void;
  /** Puts the tool down and resolves once no box waits for its mask any more; rejects, in words fit for people, if one gets none. */
  finishBoxes(): Promise<void>;
  /** Puts the tool down for good and resolves once no box waits any more, with its mask or without. */
  leaveTool(): Promise<void>;
}

interface Parts {
  readonly tool: Value<ToolId>;
  readonly tools: Readonly<Record<ToolId, Tool>>;
  readonly say: (words: string) => void;
}

export function createInHand({ tool, tools, say }: Parts): InHand {
  // Another tool may have been taken since the boxes were drawn.
  const boxes = tools["smart-box"];
  const putDownTool = (): void => {
    const held = tools[tool.get()];
    if (held.leave) held.leave();
    else held.cancel();
  };
  return {
    tool,
    putDownTool,
    async finishBoxes() {
      putDownTool();
      while (boxes.waiting) {
        say(boxes.waiting === 1 ? "Waiting for the mask of 1 box" : `Waiting for the masks of ${boxes.waiting} boxes`);
        await boxes.settled?.();
        putDownTool();
      }
    },
    async leaveTool() {
      putDownTool();
      // Who has left the image is not told what a box did not bring.
      while (boxes.waiting) await boxes.settled?.().catch(() => undefined);
    },
  };
}
