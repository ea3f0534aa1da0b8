import type { Box } from "../document/box";

/** How tools that look at intensities (flood, threshold, autofit, split by brightness) get at the picture. */
export interface Pixels {
  /** The channel to read: the one that the person looks at. */
  readonly channel: number;
  /**
   * The samples of `box` (half-open, image pixels, inside the image) of one channel, row-major, at full resolution and with the file's
   * own values: neither contrast nor 8-bit rounding (a float holds any unsigned 16-bit value exactly). A promise where they
   * have to be fetched; it rejects with an Error whose message is fit for people.
   */
  read(box: Box, channel: number): Float32Array | Promise<Float32Array>;
}
