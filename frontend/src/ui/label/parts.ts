/** The parts of the labelling page, in their order on the screen. */
const PARTS = ["header", "nav[aria-label=Tools]", "[data-testid=canvas]", "aside", "[data-testid=filmstrip]", "footer"];
const FOCUSABLE = "a[href], button:not(:disabled), input:not(:disabled), [tabindex='0']";

/**
 * Moves the focus to the first control of the part after (1) or before (-1) the one that has it. Tab walks cells on this
 * page while nothing has the focus, so somebody without a mouse needs another key to come in.
 */
export function goToPart(direction: 1 | -1): void {
  const parts = PARTS.flatMap((part) => document.querySelector<HTMLElement>(part) ?? []);
  const at = parts.findIndex((part) => part.contains(document.activeElement));
  const next = at < 0 ? (direction === 1 ? 0 : parts.length - 1) : (at + direction + parts.length) % parts.length;
  const part = parts[next];
  const target = part.matches(FOCUSABLE) ? part : part.querySelector<HTMLElement>(FOCUSABLE);
  target?.focus();
}
