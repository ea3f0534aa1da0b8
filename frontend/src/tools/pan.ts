import type { PointerInput, Tool, ToolContext } from "./tool";

/** Shift+H, or Space held in any tool: the image follows the hand. */
export function createPan(context: { readonly view: Pick<ToolContext["view"], "panBy"> }): Tool {
  let last: PointerInput | null = null;
  return {
    get cursor() {
      return last ? "grabbing" : "grab";
    },
    get dragging() {
      return last !== null;
    },
    hints: [{ keys: "Drag", does: "pan" }, { keys: "Wheel", does: "zoom" }, { keys: "Home", does: "fit" }],
    down(at) {
      last = at;
    },
    move(at) {
      if (!last) return;
      context.view.panBy(at.screenX - last.screenX, at.screenY - last.screenY);
      last = at;
    },
    up() {
      last = null;
    },
    cancel() {
      const busy = last !== null;
      last = null;
      return busy;
    },
  };
}
