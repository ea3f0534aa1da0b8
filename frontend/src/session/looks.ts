import type { ImageDetail } from "../api/types";
import type { ChannelLook } from "../render/imageLayer";
import type { Tile, TileAddress } from "../render/tileCache";
import { defaultLooks, forgetLook, isColorPicture, saveLook, savedLook } from "./contrast";
import { type Histogram, histogramOf } from "./histogram";
import { type Readable, type Value, createValue } from "./value";

/** How the channels look, what their samples are, and how people change that. */
export interface Looks {
  readonly histograms: Readable<readonly (Histogram | null)[]>;
  /** A tile came: the coarsest one of each channel tells its range. */
  learn(address: TileAddress, tile: Tile): void;
  change(channel: number, look: Partial<ChannelLook>): void;
  /** Forgets what was set by hand for all channels. */
  auto(): void;
}

export function createLooks(image: ImageDetail, channels: Value<readonly ChannelLook[]>): Looks {
  const names = image.channels.map((channel) => channel.name);
  const saved = names.map((name) => savedLook(image.project, name));
  channels.set(defaultLooks(names, image.dtype).map((look, index) => saved[index] ?? look));
  const histograms = createValue<readonly (Histogram | null)[]>(names.map(() => null));

  const put = (channel: number, change: Partial<ChannelLook>): void =>
    channels.set(channels.get().map((look, index) => (index === channel ? { ...look, ...change } : look)));
  const fitRange = (channel: number, histogram: Histogram): void => {
    if (!isColorPicture(names)) put(channel, histogram.auto);
  };

  return {
    histograms,
    learn({ channel, level }, tile) {
      if (level !== image.levels.length - 1 || histograms.get()[channel]) return;
      const histogram = histogramOf(tile.samples);
      histograms.set(histograms.get().map((known, index) => (index === channel ? histogram : known)));
      if (!saved[channel]) fitRange(channel, histogram);
    },
    change(channel, change) {
      put(channel, change);
      saveLook(image.project, names[channel], channels.get()[channel]);
    },
    auto() {
      channels.set(defaultLooks(names, image.dtype));
      names.forEach((name, channel) => {
        forgetLook(image.project, name);
        const histogram = histograms.get()[channel];
        if (histogram) fitRange(channel, histogram);
      });
    },
  };
}
