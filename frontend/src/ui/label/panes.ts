/** How the views of the channels share the canvas. */
export interface PaneGrid {
  readonly columns: number;
  readonly rows: number;
}

/** The grid of `count` equal panes in which an image of this shape is drawn largest. */
export function paneGrid(count: number, area: { width: number; height: number }, image: { width: number; height: number }): PaneGrid {
  let best: PaneGrid = { columns: count, rows: 1 };
  let largest = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const zoom = Math.min(area.width / columns / image.width, area.height / rows / image.height);
    if (zoom > largest) [best, largest] = [{ columns, rows }, zoom];
  }
  return best;
}
