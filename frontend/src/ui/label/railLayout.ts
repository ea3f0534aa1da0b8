/** How the tools of the rail share its height. All numbers are CSS pixels. */

const LARGEST = 40;
/** Nothing that is clicked is smaller than 28. */
const SMALLEST = 30;
const GAP = 2;
/** The line between two groups, with its margins. */
const RULE = 10;
const PADDING = 12;

export interface RailLayout {
  /** The height of one tool. */
  readonly tool: number;
  /** How many tools stand in the rail; the others are in the menu at its end, which takes one more place. */
  readonly shown: number;
}

/** Tools become shorter before any goes into the menu. `extra` places are always taken at the end of the rail. */
export function railLayout(height: number, tools: number, groups: number, extra: number): RailLayout {
  const room = height - PADDING - RULE * groups;
  const size = Math.floor(room / (tools + extra)) - GAP;
  if (size >= SMALLEST) return { tool: Math.min(LARGEST, size), shown: tools };
  const places = Math.floor(room / (SMALLEST + GAP));
  return { tool: SMALLEST, shown: Math.max(1, places - extra - 1) };
}
