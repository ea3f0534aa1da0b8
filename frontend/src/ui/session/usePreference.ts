import { useCallback, useSyncExternalStore } from "react";

import { lookOf, preferencesFor } from "../../session/preferences";
import { useUser } from "./useSession";

/** One of the person's own settings, and how to change it; the same on every image and every computer. */
export function usePreference<T extends number | boolean | string>(name: string, fallback: T): [value: T, set: (next: T) => void] {
  const preferences = preferencesFor(useUser().id);
  const document = useSyncExternalStore(preferences.document.subscribe, preferences.document.get);
  const set = useCallback((next: T) => preferences.change({ looks: { [name]: next } }), [preferences, name]);
  return [lookOf<T>(document, name, fallback), set];
}
