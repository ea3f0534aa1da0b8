/** How far the label shader looks around a place, in texels. */
export const REACH = 2;
/** Set on a texel whose surroundings are not all of its own slot: only there does the shader look for borders. */
export const MIXED = 0x80000000;

/**
 * The inner texels of `slots` (a rectangle `width` texels wide, with REACH more on every side than is returned), each marked
 * MIXED if another slot lies within REACH of it. Two passes, so a texel costs ten comparisons.
 */
export function markBorders(slots: Uint32Array, width: number): Uint32Array {
  const height = slots.length / width;
  const innerWidth = width - 2 * REACH;
  const even = new Uint8Array(slots.length);
  for (let y = 0; y < height; y++) {
    // How many texels up to here are alike, in this row.
    let run = 0;
    for (let x = 0, i = y * width; x < width; x++, i++) {
      run = x > 0 && slots[i] === slots[i - 1] ? run + 1 : 1;
      if (run > 2 * REACH) even[i - REACH] = 1;
    }
  }
  const out = new Uint32Array(innerWidth * (height - 2 * REACH));
  for (let x = 0; x < innerWidth; x++) {
    let run = 0;
    for (let y = 0; y < height; y++) {
      const i = y * width + x + REACH;
      const alike = y > 0 && slots[i] === slots[i - width];
      run = even[i] ? (alike ? run + 1 : 1) : 0;
      const inner = y - 2 * REACH;
      if (inner < 0) continue;
      const slot = slots[i - REACH * width];
      out[inner * innerWidth + x] = run > 2 * REACH ? slot : (slot | MIXED) >>> 0;
    }
  }
  return out;
}
