import { capOf } from "../../session/keys/chords";
import { type Action, ACTIONS, COMMANDS, GROUPS, type Group, POINTER_HINTS } from "../../session/keys/commands";
import type { Bindings } from "../../session/keys/presets";

export interface KeyRow {
  readonly action: Action;
  readonly does: string;
  readonly chords: readonly string[];
}

export interface KeyGroup {
  readonly group: Group;
  readonly rows: readonly KeyRow[];
}

const plain = (text: string): string => text.toLowerCase().trim();

/** Whether every word of `find` occurs in what is said; a single letter has to be a key. */
function matches(find: string, said: string, caps: readonly string[]): boolean {
  if (find.length === 1) return caps.some((cap) => plain(cap) === find);
  const all = plain([said, ...caps].join(" "));
  return find.split(/\s+/).every((word) => all.includes(word));
}

/** The commands that match, in the groups that they belong to; empty groups are left out. */
export function keyGroups(bindings: Bindings, search: string): KeyGroup[] {
  const find = plain(search);
  return GROUPS.flatMap((group) => {
    const rows = ACTIONS.filter((action) => COMMANDS[action].group === group)
      .map((action): KeyRow => ({ action, does: COMMANDS[action].does, chords: bindings[action] }))
      .filter(({ does, chords }) => find === "" || matches(find, `${group} ${does}`, chords.map(capOf)));
    return rows.length > 0 ? [{ group, rows }] : [];
  });
}

export function pointerRows(search: string): typeof POINTER_HINTS {
  const find = plain(search);
  return POINTER_HINTS.filter((hint) => find === "" || (find.length > 1 && matches(find, `mouse ${hint.does} ${hint.with}`, [])));
}
