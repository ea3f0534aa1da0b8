import { type Action, ACTIONS, COMMANDS, scopesMeet } from "./commands";
import type { Bindings } from "./presets";

/** The commands that `chord` would run as well if `action` had it. */
export function claimants(bindings: Bindings, action: Action, chord: string): Action[] {
  return ACTIONS.filter(
    (other) => other !== action && bindings[other].includes(chord) && scopesMeet(COMMANDS[other].scope, COMMANDS[action].scope),
  );
}

/** Each chord that two commands claim at the same moment, in words. */
export function clashes(bindings: Bindings): string[] {
  return ACTIONS.flatMap((action) =>
    bindings[action].flatMap((chord) =>
      claimants(bindings, action, chord)
        .filter((other) => action < other)
        .map((other) => `${chord}: ${action} and ${other}`),
    ),
  );
}

/** `bindings` with `chords` for `action`, taken from whoever has them now. Returns only what changed. */
export function rebound(bindings: Bindings, action: Action, chords: readonly string[]): Partial<Record<Action, readonly string[]>> {
  const changed: Partial<Record<Action, readonly string[]>> = { [action]: [...new Set(chords)] };
  for (const chord of chords) {
    for (const other of claimants(bindings, action, chord)) {
      changed[other] = (changed[other] ?? bindings[other]).filter((own) => own !== chord);
    }
  }
  return changed;
}
