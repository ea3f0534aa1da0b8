/** Where the border between the two sides lies, 0 to 1 of the picture's width. */
const STEP = 0.02;
const LEAP = 0.1;

export const MIDDLE = 0.5;

export function heldIn(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** The border after a key; null for a key that is not the slider's. */
export function sliderAfter(share: number, key: string, isLeap: boolean): number | null {
  const step = isLeap ? LEAP : STEP;
  switch (key) {
    case "ArrowLeft":
      return heldIn(share - step);
    case "ArrowRight":
      return heldIn(share + step);
    case "PageDown":
      return heldIn(share - LEAP);
    case "PageUp":
      return heldIn(share + LEAP);
    case "Home":
      return 0;
    case "End":
      return 1;
    default:
      return null;
  }
}
