import { useSyncExternalStore } from "react";

import type { Readable } from "../../session/value";

/** The current value, and a render when it changes. */
export function useValue<T>(value: Readable<T>): T {
  return useSyncExternalStore(value.subscribe, value.get);
}
