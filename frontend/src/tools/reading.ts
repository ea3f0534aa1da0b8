import { type Box, boxHeight, boxWidth } from "../document/box";
import type { ToolContext } from "./tool";

/** More samples than this are not read at once: a box as large as this takes seconds to work through. */
const MOST_PIXELS = 4096 * 4096;

/**
 * The samples of `box` in the channel that the person looks at; null if they did not come, which has been said then. The box is shown
 * as waiting for that time.
 */
export async function readPixels(context: ToolContext, box: Box, key: string): Promise<Float32Array | null> {
  if (boxWidth(box) * boxHeight(box) > MOST_PIXELS) {
    context.say("That is too large a part of the picture at once. Take a smaller one.");
    return null;
  }
  context.marks.put(key, { box, state: "waiting", tag: "Reading the picture" });
  try {
    return await context.pixels.read(box, context.pixels.channel);
  } catch (error) {
    context.say(error instanceof Error ? error.message : "The picture did not load there. Try again.");
    return null;
  } finally {
    context.marks.drop(key);
  }
}
