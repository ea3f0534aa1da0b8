import type { ImageDetail } from "../api/types";
import type { ChannelLook } from "../render/imageLayer";
import type { Tile, TileAddress } from "../render/tileCache";
import { GREY, defaultLooks, forgetLook, isColorPicture, saveLook, savedLook } from "./contrast";
import { type Histogram, histogramOf } from "./histogram";
import { type Readable, type Value, createValue } from "./value";

/** How the channels look, what their samples are, and how people change that. */
export interface Looks {
  readonly histograms: Readable<readonly (Histogram | null)[]>;
  /** The channel that is shown alone; null: those that are switched on. */
  readonly alone: Readable<number | null>;
  /** As they are set, whatever is shown just now: alone, or in grey. */
  readonly chosen: Readable<readonly ChannelLook[]>;
  /** A tile came: the coarsest one of each channel tells its range. */
  learn(address: TileAddress, tile: Tile): void;
  change(channel: number, look: Partial<ChannelLook>): void;
  /** Shows the next (1) or previous (-1) channel alone; after the last one, all of them. */
  step(direction: 1 | -1): void;
  setGrey(grey: boolean): void;
  /** Forgets what was set by hand for all channels. */
  auto(): void;
}

/** `before`: how the last frame of the same series looked; frames are not fitted one by one, or they would flicker. */
export function createLooks(image: ImageDetail, channels: Value<readonly ChannelLook[]>, before: readonly ChannelLook[] | null): Looks {
  const names = image.channels.map((channel) => channel.name);
  const saved = names.map((name, index) => before?.[index] ?? savedLook(image.project, name));
  const first = defaultLooks(names, image.dtype).map((look, index) => saved[index] ?? look);
  const chosen = createValue<readonly ChannelLook[]>(first);
  const alone = createValue<number | null>(null);
  const histograms = createValue<readonly (Histogram | null)[]>(names.map(() => null));
  let grey = false;

  const show = (): void => {
    const only = alone.get();
    channels.set(
      chosen.get().map((look, index) => ({ ...look, color: grey ? GREY : look.color, visible: only === null ? look.visible : index === only })),
    );
  };
  chosen.subscribe(show);
  alone.subscribe(show);
  show();

  const put = (channel: number, change: Partial<ChannelLook>): void =>
    chosen.set(chosen.get().map((look, index) => (index === channel ? { ...look, ...change } : look)));
  const fitRange = (channel: number, histogram: Histogram): void => {
    if (!isColorPicture(names)) put(channel, histogram.auto);
  };

  return {
    histograms,
    alone,
    chosen,
    learn({ channel, level }, tile) {
      if (level !== image.levels.length - 1 || histograms.get()[channel]) return;
      const histogram = histogramOf(tile.samples);
      histograms.set(histograms.get().map((known, index) => (index === channel ? histogram : known)));
      if (!saved[channel]) fitRange(channel, histogram);
    },
    change(channel, change) {
      // Switching one channel on or off by hand ends the view of one channel alone.
      if (change.visible !== undefined) alone.set(null);
      put(channel, change);
      saveLook(image.project, names[channel], chosen.get()[channel]);
    },
    step(direction) {
      const places = [null, ...names.map((_, index) => index)];
      alone.set(places[(places.indexOf(alone.get()) + direction + places.length) % places.length]);
    },
    setGrey(next) {
      grey = next;
      show();
    },
    auto() {
      alone.set(null);
      chosen.set(defaultLooks(names, image.dtype));
      names.forEach((name, channel) => {
        forgetLook(image.project, name);
        const histogram = histograms.get()[channel];
        if (histogram) fitRange(channel, histogram);
      });
    },
  };
}
