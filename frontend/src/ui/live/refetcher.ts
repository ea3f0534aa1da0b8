/** At most one refetch a second of what events make stale: 200 uploads send 600 events. */
const REFETCH_MS = 1_000;

/** Asks for fresh data at most once in a while, however often it is called. */
export function createRefetcher(refetch: (key: readonly unknown[]) => void, wait = REFETCH_MS) {
  const waiting = new Map<string, ReturnType<typeof setTimeout>>();
  return {
    ask(key: readonly unknown[]) {
      const name = JSON.stringify(key);
      if (waiting.has(name)) return;
      waiting.set(name, setTimeout(() => {
        waiting.delete(name);
        refetch(key);
      }, wait));
    },
    stop() {
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}
