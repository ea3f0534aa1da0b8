import { imageWarm } from "../api/queue";
import type { ImageDetail } from "../api/types";
import type { Tile, TileAddress } from "../render/tileCache";
import { type LoadedCells, fetchCells, fetchImage, fetchTile } from "./requests";

/** Images that will probably be opened next: fetched while a person still looks at this one. */
export interface Prefetch {
  /** Asks for an image, its cells and its coarsest tiles; `warm` also for the model's embeddings. Twice is once. */
  ahead(imageId: string, warm: boolean): void;
  /** What was fetched, and forgets it: cells may change, so they serve once and soon. */
  take(imageId: string): Promise<Ahead> | null;
  /** A tile that was fetched; it never changes. */
  tile(imageId: string, address: TileAddress): Tile | undefined;
}

export interface Ahead {
  readonly image: ImageDetail;
  readonly cells: LoadedCells;
}

/** Older than this, cells are asked for again. */
const FRESH_MS = 20_000;
const MOST_TILES = 64;

export function createPrefetch(): Prefetch {
  const coming = new Map<string, { readonly at: number; readonly ahead: Promise<Ahead> }>();
  const tiles = new Map<string, Tile>();
  const tileKeyOf = (imageId: string, { channel, level, row, column }: TileAddress): string => [imageId, channel, level, row, column].join("/");

  const fetchTop = async (image: ImageDetail): Promise<void> => {
    const level = image.levels.length - 1;
    if (level < 0) return;
    const nobodyWaits = new AbortController().signal;
    for (const channel of image.channels.keys()) {
      const address: TileAddress = { channel, level, row: 0, column: 0 };
      tiles.set(tileKeyOf(image.id, address), await fetchTile(image.id, image.dtype, address, nobodyWaits));
    }
    while (tiles.size > MOST_TILES) tiles.delete([...tiles.keys()][0]);
  };
  const fetchAll = async (imageId: string): Promise<Ahead> => {
    const [image, cells] = await Promise.all([fetchImage(imageId), fetchCells(imageId)]);
    // The picture can follow; without it the page shows the tiles as they come.
    fetchTop(image).catch(() => undefined);
    return { image, cells };
  };

  return {
    ahead(imageId, warm) {
      const known = coming.get(imageId);
      if (known && Date.now() - known.at < FRESH_MS) return;
      const ahead = fetchAll(imageId);
      coming.set(imageId, { at: Date.now(), ahead });
      // Fetching ahead is a favour: whoever opens the image asks again and is told what is wrong.
      ahead.catch(() => coming.delete(imageId));
      if (warm) imageWarm(imageId).catch(() => undefined);
    },
    take(imageId) {
      const known = coming.get(imageId);
      coming.delete(imageId);
      return known && Date.now() - known.at < FRESH_MS ? known.ahead : null;
    },
    tile: (imageId, address) => tiles.get(tileKeyOf(imageId, address)),
  };
}

/** One for the page. */
export const prefetch = createPrefetch();
