import { type OptionId, type OptionValues, optionsFrom } from "../tools/options";
import type { Preferences } from "./preferences";
import { type Value, createValue } from "./value";

/** The tools' options: what is set is a preference, what is lent is not. */
export interface Options extends Value<OptionValues> {
  /** These hold until they are given back, or until the person sets them. */
  lend(values: Partial<OptionValues>): void;
  /** False if nothing was lent. */
  giveBack(): boolean;
}

const placeOf = (id: string): string => `tool.${id}`;
const idsOf = (values: Partial<OptionValues>): OptionId[] => Object.keys(values) as OptionId[];

/** The tools' options, kept per person. */
export function createOptions(preferences: Preferences): { options: Options; dispose: () => void } {
  let lent: Partial<OptionValues> = {};
  const read = (): OptionValues =>
    optionsFrom(
      Object.fromEntries(
        Object.entries(preferences.document.get().looks).flatMap(([name, value]) => (name.startsWith("tool.") ? [[name.slice(5), value]] : [])),
      ),
    );
  const value = createValue(read());
  const stopKeeping = value.subscribe(() => {
    const [now, kept] = [value.get(), read()];
    lent = Object.fromEntries(idsOf(lent).filter((id) => now[id] === lent[id]).map((id) => [id, now[id]]));
    const changed = idsOf(now).filter((id) => now[id] !== kept[id] && !(id in lent));
    if (changed.length > 0) preferences.change({ looks: Object.fromEntries(changed.map((id) => [placeOf(id), now[id]])) });
  });
  const show = (): void => {
    const [now, next] = [value.get(), { ...read(), ...lent }];
    if (idsOf(now).some((id) => now[id] !== next[id])) value.set(next);
  };
  const stopReading = preferences.document.subscribe(show);
  return {
    options: {
      ...value,
      lend(values) {
        lent = values;
        show();
      },
      giveBack() {
        const was = idsOf(lent).length > 0;
        lent = {};
        show();
        return was;
      },
    },
    dispose() {
      stopKeeping();
      stopReading();
    },
  };
}
