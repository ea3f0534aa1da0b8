import { type OptionId, type OptionValues, optionsFrom } from "../tools/options";
import type { Preferences } from "./preferences";
import { type Value, createValue } from "./value";

const placeOf = (id: string): string => `tool.${id}`;

/** The tools' options, kept per person. */
export function createOptions(preferences: Preferences): { options: Value<OptionValues>; dispose: () => void } {
  const read = (): OptionValues =>
    optionsFrom(
      Object.fromEntries(
        Object.entries(preferences.document.get().looks).flatMap(([name, value]) => (name.startsWith("tool.") ? [[name.slice(5), value]] : [])),
      ),
    );
  const options = createValue(read());
  const stopKeeping = options.subscribe(() => {
    const [now, kept] = [options.get(), read()];
    const changed = (Object.keys(now) as OptionId[]).filter((id) => now[id] !== kept[id]);
    if (changed.length > 0) preferences.change({ looks: Object.fromEntries(changed.map((id) => [placeOf(id), now[id]])) });
  });
  const stopReading = preferences.document.subscribe(() => {
    const [now, kept] = [options.get(), read()];
    if ((Object.keys(now) as OptionId[]).some((id) => now[id] !== kept[id])) options.set(kept);
  });
  return {
    options,
    dispose() {
      stopKeeping();
      stopReading();
    },
  };
}
