import { type Action, ACTIONS, COMMANDS } from "./commands";

/** Which chords run which command. A command without chords has none. */
export type Bindings = Readonly<Record<Action, readonly string[]>>;
export type Overrides = Readonly<Partial<Record<Action, readonly string[]>>>;

/** What hands know from other programs; everything that is not named here is as in "CellLoop". */
const PRESETS = {
  cellloop: { name: "CellLoop", changes: {} },
  deepcell_label: {
    name: "DeepCell Label",
    changes: {
      "cells.previous": ["[", "shift+tab"],
      "cells.next": ["]", "tab"],
      "brush.smaller": ["arrowdown", ","],
      "brush.larger": ["arrowup", "."],
      "op.autofit": ["m"],
      "tool.merge": ["r"],
      "tool.replace": ["shift+r"],
      "tool.swap-ids": ["s"],
      "tool.smart-box": ["shift+s"],
    },
  },
  cellpose: {
    name: "Cellpose",
    changes: {
      "hold.peek": ["x"],
      "view.outlines": ["z"],
      "tool.swap": ["shift+x"],
      "brush.smaller": [",", "["],
      "brush.larger": [".", "]"],
      "frame.previous": ["a", "arrowleft"],
      "frame.next": ["d", "arrowright"],
      "view.previous-channel": ["arrowup", "shift+c"],
      "view.next-channel": ["arrowdown", "c"],
    },
  },
  napari: {
    name: "napari",
    changes: {
      "tool.brush": ["p"],
      "tool.polygon": ["shift+p"],
      "tool.flood": ["f"],
      "tool.select": ["l", "v"],
      "tool.lasso": ["shift+l"],
      "tool.merge": ["shift+m"],
      "tool.pan": ["z"],
      "hold.peek": ["shift+z"],
      "cells.new": ["m"],
      "frame.previous": ["arrowleft", "a"],
      "frame.next": ["arrowright", "d"],
    },
  },
} as const satisfies Readonly<Record<string, { name: string; changes: Overrides }>>;

export type PresetId = keyof typeof PRESETS;

export const PRESET_IDS = Object.keys(PRESETS) as readonly PresetId[];
export const isPresetId = (text: unknown): text is PresetId => typeof text === "string" && text in PRESETS;
export const presetName = (id: PresetId): string => PRESETS[id].name;

/** The keys that are alive: a preset, with what the person changed on top. */
export function bindingsOf(preset: PresetId, overrides: Overrides): Bindings {
  const changes: Overrides = PRESETS[preset].changes;
  return Object.fromEntries(
    ACTIONS.map((action) => [action, overrides[action] ?? changes[action] ?? COMMANDS[action].keys]),
  ) as Record<Action, readonly string[]>;
}
