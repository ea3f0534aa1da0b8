import type { Preferences } from "../preferences";
import { type Readable, createValue } from "../value";
import { capOf, refusal } from "./chords";
import { claimants, rebound } from "./clashes";
import { type Action, isAction } from "./commands";
import { type Bindings, type Overrides, type PresetId, bindingsOf, isPresetId } from "./presets";

export interface KeyChoice {
  readonly preset: PresetId;
  readonly overrides: Overrides;
}

/** Which key does what for the person at this browser. */
export interface Keyboard {
  readonly bindings: Readable<Bindings>;
  readonly choice: Readable<KeyChoice>;
  /** Reads the person's own keys and writes every change back; returns how to stop. */
  follow(preferences: Preferences): () => void;
  /** Another preset; what was changed by hand goes on top of it. */
  choosePreset(preset: PresetId): void;
  /** Why `chord` cannot be bound at all, or null. */
  refusal(chord: string): string | null;
  /** The commands that would lose `chord`. */
  conflicts(action: Action, chord: string): Action[];
  /** Binds `chords` to `action` and takes them from whoever had them. */
  bind(action: Action, chords: readonly string[]): void;
  /** Back to the preset: one command, or everything. */
  reset(action?: Action): void;
}

const FIRST: KeyChoice = { preset: "cellloop", overrides: {} };

/** What was kept may come from another version: commands that are gone and chords of the browser are left out. */
function readChoice(preset: unknown, overrides: Readonly<Record<string, unknown>>): KeyChoice {
  const known = Object.entries(overrides).flatMap(([action, chords]) =>
    isAction(action) && Array.isArray(chords)
      ? [[action, chords.filter((chord): chord is string => typeof chord === "string" && !refusal(chord))] as const]
      : [],
  );
  return { preset: isPresetId(preset) ? preset : FIRST.preset, overrides: Object.fromEntries(known) };
}

export function createKeyboard(): Keyboard {
  const choice = createValue<KeyChoice>(FIRST);
  const bindings = createValue<Bindings>(bindingsOf(FIRST.preset, FIRST.overrides));
  let write: (choice: KeyChoice) => void = () => undefined;

  const show = (next: KeyChoice): void => {
    choice.set(next);
    bindings.set(bindingsOf(next.preset, next.overrides));
  };
  const change = (next: KeyChoice): void => {
    show(next);
    write(next);
  };

  return {
    bindings,
    choice,
    follow(preferences) {
      const read = (): void => {
        const { preset, overrides } = preferences.document.get().keys;
        show(readChoice(preset, overrides));
      };
      read();
      const stop = preferences.document.subscribe(read);
      write = ({ preset, overrides }) => preferences.change({ keys: { preset, overrides } });
      return () => {
        stop();
        write = () => undefined;
      };
    },
    choosePreset: (preset) => change({ ...choice.get(), preset }),
    refusal,
    conflicts: (action, chord) => claimants(bindings.get(), action, chord),
    bind(action, chords) {
      const { preset, overrides } = choice.get();
      change({ preset, overrides: { ...overrides, ...rebound(bindings.get(), action, chords) } });
    },
    reset(action) {
      const { preset, overrides } = choice.get();
      if (!action) {
        change({ preset, overrides: {} });
        return;
      }
      const others = Object.fromEntries(Object.entries(overrides).filter(([name]) => name !== action)) as Overrides;
      const plain = bindingsOf(preset, others);
      // Its own keys may belong to another command meanwhile, which then gives them back.
      const given = Object.entries(rebound(plain, action, plain[action])).filter(([name]) => name !== action);
      change({ preset, overrides: { ...others, ...Object.fromEntries(given) } });
    },
  };
}

/** One for the page: hands, buttons and hints all read the same keys. */
export const keyboard = createKeyboard();

/** The first key of a command as it is written on a key cap; "" if it has none. */
export function keyCap(action: Action): string {
  const [first] = keyboard.bindings.get()[action];
  return first === undefined ? "" : capOf(first);
}

/** The same where room is short: Shift is an arrow. */
export const shortKeyCap = (action: Action): string => keyCap(action).replace("Shift ", "⇧");
