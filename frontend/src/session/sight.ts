import { CELL_PALETTE, type CellColors, createCellColors } from "../document/colors";
import type { PreviewLayer } from "../document/preview";
import type { CellStore } from "../document/store";
import type { Carry } from "./carry";
import type { Classes } from "./classes";
import { type Looks, createLooks } from "./looks";
import type { Opened } from "./openImage";
import { type PixelReader, createPixelReader } from "./pixels";
import type { Preferences } from "./preferences";
import { prefetch } from "./prefetch";
import { fetchTile } from "./requests";
import { type SeeingState, createSeeing } from "./seeing";
import type { Readable } from "./value";
import { type View, createView } from "./view";

/** All that has to do with what is seen of one image. */
export interface Sight {
  readonly view: View;
  readonly looks: Looks;
  readonly colors: CellColors;
  readonly pixels: PixelReader;
  readonly seeing: SeeingState;
  /** Leaves the camera and the channels to the next frame of the same series. */
  leave(): void;
}

interface Parts {
  readonly opened: Opened;
  readonly store: CellStore;
  readonly preview: PreviewLayer;
  readonly selection: Readable<ReadonlySet<string>>;
  readonly classes: Classes;
  readonly preferences: Preferences;
  readonly carry: Carry;
  readonly say: (words: string) => void;
}

/** A hand that goes through frames must find a cell by its colour: there the number decides, not the neighbours. */
const colorsByLabel: CellColors = { of: ({ label }) => (label * 5) % CELL_PALETTE.length };

const rgbOf = (colour: string): readonly [number, number, number] => {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};

export function createSight({ opened, store, preview, selection, classes, preferences, carry, say }: Parts): Sight {
  const { image } = opened;
  const { series } = image;
  const before = series && carry.frame?.series === series.id ? carry.frame : null;
  const colors = series ? colorsByLabel : createCellColors(store);

  const view = createView(
    {
      image: {
        width: image.width,
        height: image.height,
        channels: image.channels.length,
        dtype: image.dtype === "uint16" ? "uint16" : "uint8",
        levels: image.levels,
        tileSize: image.tile_size,
      },
      document: store,
      preview,
      colors,
      classTone(id) {
        const known = classes.all.get().find((one) => one.id === id);
        return known ? rgbOf(known.colour) : null;
      },
      loadTile: (address, signal) => {
        const ahead = prefetch.tile(image.id, address);
        return ahead ? Promise.resolve(ahead) : fetchTile(image.id, image.dtype, address, signal);
      },
      onTile(address, tile) {
        looks.learn(address, tile);
        pixels.learn(address, tile);
      },
      onTileError: () => say("Part of the picture did not load. It is asked for again."),
    },
    selection,
  );
  if (before) view.lookAt(before.camera);
  classes.all.subscribe(view.recolor);
  const looks = createLooks(image, view.channels, before?.channels ?? null);
  const seeing = createSeeing(preferences, view);
  const greyToo = (): void => looks.setGrey(seeing.seeing.get().grey);
  greyToo();
  seeing.seeing.subscribe(greyToo);

  const pixels = createPixelReader({
    width: image.width,
    height: image.height,
    tileSize: image.tile_size,
    channel: () => Math.max(0, looks.alone.get() ?? looks.chosen.get().findIndex(({ visible }) => visible)),
    load: (address) => fetchTile(image.id, image.dtype, address, new AbortController().signal),
  });

  return {
    view,
    looks,
    colors,
    pixels,
    seeing,
    leave() {
      carry.frame = series ? { series: series.id, camera: view.camera.get(), channels: looks.chosen.get() } : null;
      seeing.dispose();
    },
  };
}
