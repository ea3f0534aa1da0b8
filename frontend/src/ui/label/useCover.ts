import { type RefObject, useEffect } from "react";

import type { Corner } from "../../session/fitting";
import type { View } from "../../session/view";

/** Screen pixels between what floats over the picture and the canvas's edge, and again to the picture. */
const MARGIN = 12;

/** Tells the view how much of a corner this element covers, at least `least` pixels high, for as long as it is there. */
export function useCover(view: View, corner: Corner, element: RefObject<HTMLElement | null>, least = 0): void {
  useEffect(() => {
    const over = element.current;
    if (!over) return;
    const tell = (): void => view.cover(corner, { width: over.offsetWidth + 2 * MARGIN, height: Math.max(least, over.offsetHeight) + 2 * MARGIN });
    const observer = new ResizeObserver(tell);
    observer.observe(over);
    tell();
    return () => {
      observer.disconnect();
      view.cover(corner, null);
    };
  }, [view, corner, element, least]);
}
