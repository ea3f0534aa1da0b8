import { type Box, boxHeight, boxIntersect, boxWidth } from "../document/box";
import type { Tile, TileAddress } from "../render/tileCache";
import type { Pixels } from "../tools/pixels";

interface Parts {
  readonly width: number;
  readonly height: number;
  readonly tileSize: number;
  /** The channel that the person looks at. */
  readonly channel: () => number;
  readonly load: (address: TileAddress) => Promise<Tile>;
}

export interface PixelReader extends Pixels {
  /** A tile came for the picture: those at full resolution serve here too. */
  learn(address: TileAddress, tile: Tile): void;
}

/** Tiles kept for reading: at 256 x 256 samples of 16 bits, 128 KB each. */
const MOST_TILES = 256;

const keyOf = ({ channel, row, column }: TileAddress): string => `${channel}/${row}/${column}`;

export function createPixelReader({ width, height, tileSize, channel, load }: Parts): PixelReader {
  const tiles = new Map<string, Tile>();
  const coming = new Map<string, Promise<Tile>>();

  const keep = (address: TileAddress, tile: Tile): Tile => {
    const key = keyOf(address);
    tiles.delete(key);
    tiles.set(key, tile);
    const [oldest] = tiles.keys();
    if (tiles.size > MOST_TILES) tiles.delete(oldest);
    return tile;
  };
  const fetchOne = (address: TileAddress): Promise<Tile> => {
    const key = keyOf(address);
    const known = coming.get(key);
    if (known) return known;
    const promise = load(address)
      .then((tile) => keep(address, tile))
      .finally(() => coming.delete(key));
    coming.set(key, promise);
    return promise;
  };
  const addressesOf = (box: Box, of: number): TileAddress[] => {
    const found: TileAddress[] = [];
    for (let row = Math.floor(box[1] / tileSize); row * tileSize < box[3]; row++) {
      for (let column = Math.floor(box[0] / tileSize); column * tileSize < box[2]; column++) found.push({ channel: of, level: 0, row, column });
    }
    return found;
  };
  const copyInto = (samples: Float32Array, box: Box, { row, column }: TileAddress, tile: Tile): void => {
    const [left, top] = [column * tileSize, row * tileSize];
    const part = boxIntersect(box, [left, top, left + tile.width, top + tile.height]);
    for (let y = part[1]; y < part[3]; y++) {
      const from = (y - top) * tile.width + part[0] - left;
      samples.set(tile.samples.subarray(from, from + part[2] - part[0]), (y - box[1]) * boxWidth(box) + part[0] - box[0]);
    }
  };
  const gather = (box: Box, parts: readonly (readonly [TileAddress, Tile])[]): Float32Array => {
    const samples = new Float32Array(boxWidth(box) * boxHeight(box));
    for (const [address, tile] of parts) copyInto(samples, box, address, tile);
    return samples;
  };

  return {
    get channel() {
      return channel();
    },
    learn(address, tile) {
      if (address.level === 0) keep(address, tile);
    },
    read(box, of) {
      if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) throw new RangeError("a box to read lies inside the image");
      const addresses = addressesOf(box, of);
      const here = addresses.flatMap((address) => {
        const tile = tiles.get(keyOf(address));
        return tile ? [[address, tile] as const] : [];
      });
      if (here.length === addresses.length) return gather(box, here);
      return Promise.all(addresses.map(async (address) => [address, tiles.get(keyOf(address)) ?? (await fetchOne(address))] as const)).then((parts) =>
        gather(box, parts),
      );
    },
  };
}
