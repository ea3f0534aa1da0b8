/** One value that can be watched: what the page shows is made of these. */
export interface Readable<T> {
  get(): T;
  subscribe(listener: () => void): () => void;
}

export interface Value<T> extends Readable<T> {
  set(next: T): void;
}

export function createValue<T>(initial: T): Value<T> {
  let current = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => current,
    set(next) {
      if (Object.is(next, current)) return;
      current = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A value that follows others. It keeps its identity while `same` says that nothing changed. */
export function derive<T>(sources: readonly Readable<unknown>[], compute: () => T, same: (a: T, b: T) => boolean = Object.is): Readable<T> {
  const value = createValue(compute());
  for (const source of sources) {
    source.subscribe(() => {
      const next = compute();
      if (!same(next, value.get())) value.set(next);
    });
  }
  return value;
}

/** Whether two flat records hold the same. */
export function sameFields<T extends object>(a: T, b: T): boolean {
  const keys = Object.keys(a) as (keyof T)[];
  return keys.length === Object.keys(b).length && keys.every((key) => Object.is(a[key], b[key]));
}
