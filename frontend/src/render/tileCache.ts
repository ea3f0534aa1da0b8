/** Image samples of one tile: row-major, unsigned, as the file has them. */
export interface Tile {
  readonly width: number;
  readonly height: number;
  readonly samples: Uint8Array | Uint16Array;
}

export interface TileAddress {
  readonly channel: number;
  /** 0 is full size; each next level halves. */
  readonly level: number;
  readonly row: number;
  readonly column: number;
}

export type LoadTile = (address: TileAddress, signal: AbortSignal) => Promise<Tile>;

export const tileKey = ({ channel, level, row, column }: TileAddress): string => `${channel}/${level}/${row}/${column}`;

const AT_ONCE = 6;
/** A tile that failed is asked for again after this long, if it is still wanted. */
const RETRY_MS = 3000;

/** Loads the tiles that are in view, nearest wish first, and keeps the recently used ones. */
export interface TileCache {
  get(address: TileAddress): Tile | undefined;
  /** The tiles needed now, most needed first; requests for anything else are given up. */
  want(addresses: readonly TileAddress[]): void;
  dispose(): void;
}

interface Hooks {
  onLoad(address: TileAddress, tile: Tile): void;
  onDrop(key: string): void;
  onError(error: unknown): void;
}

export function createTileCache(load: LoadTile, hooks: Hooks, budgetBytes = 256 * 2 ** 20): TileCache {
  // A Map keeps insertion order: the first entry is the one not used for longest.
  const kept = new Map<string, Tile>();
  const loading = new Map<string, AbortController>();
  const failedAt = new Map<string, number>();
  let wanted: readonly TileAddress[] = [];
  let bytes = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const trim = (): void => {
    const needed = new Set(wanted.map(tileKey));
    for (const [key, tile] of kept) {
      if (bytes <= budgetBytes) return;
      if (needed.has(key)) continue;
      kept.delete(key);
      bytes -= tile.samples.byteLength;
      hooks.onDrop(key);
    }
  };

  const start = async (address: TileAddress): Promise<void> => {
    const key = tileKey(address);
    const control = new AbortController();
    loading.set(key, control);
    try {
      const tile = await load(address, control.signal);
      if (control.signal.aborted) return;
      failedAt.delete(key);
      kept.set(key, tile);
      bytes += tile.samples.byteLength;
      hooks.onLoad(address, tile);
      trim();
    } catch (error) {
      if (control.signal.aborted) return;
      failedAt.set(key, Date.now());
      clearTimeout(retry);
      retry = setTimeout(pump, RETRY_MS);
      hooks.onError(error);
    } finally {
      if (loading.get(key) === control) loading.delete(key);
      pump();
    }
  };

  function pump(): void {
    for (const address of wanted) {
      if (loading.size >= AT_ONCE) return;
      const key = tileKey(address);
      const tooSoon = Date.now() - (failedAt.get(key) ?? 0) < RETRY_MS;
      if (!kept.has(key) && !loading.has(key) && !tooSoon) void start(address);
    }
  }

  return {
    get(address) {
      const key = tileKey(address);
      const tile = kept.get(key);
      if (tile) {
        kept.delete(key);
        kept.set(key, tile);
      }
      return tile;
    },
    want(addresses) {
      wanted = addresses;
      const needed = new Set(addresses.map(tileKey));
      for (const [key, control] of loading) {
        if (needed.has(key)) continue;
        loading.delete(key);
        control.abort();
      }
      pump();
    },
    dispose() {
      wanted = [];
      clearTimeout(retry);
      for (const control of loading.values()) control.abort();
      loading.clear();
      kept.clear();
    },
  };
}
