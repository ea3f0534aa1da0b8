import { OPERATIONS, type OperationId, TOOLS, type ToolId } from "../../tools/registry";

/** What has to hold for a command's keys to be alive. Scopes that cannot hold at once may share a key. */
export const SCOPES = {
  page: {},
  /** A gesture is half done: a polygon has vertices, a box waits to be accepted. */
  gesture: { gesture: true },
  resting: { gesture: false },
  stack: { stack: true },
} as const satisfies Readonly<Record<string, Partial<Situation>>>;

export interface Situation {
  readonly gesture: boolean;
  /** The image is a frame of a stack. */
  readonly stack: boolean;
}

export type Scope = keyof typeof SCOPES;

export const GROUPS = ["Tools", "Drawing", "Cells", "Classes", "Looking", "Frames and images", "Work", "Help"] as const;
export type Group = (typeof GROUPS)[number];

export interface Command {
  readonly does: string;
  readonly group: Group;
  readonly scope: Scope;
  /** The key map "CellLoop". */
  readonly keys: readonly string[];
  /** Works while the key is held; let go, it ends. */
  readonly hold?: true;
}

const command = (group: Group, does: string, keys: readonly string[], scope: Scope = "page"): Command => ({ does, group, scope, keys });
const held = (group: Group, does: string, keys: readonly string[]): Command => ({ does, group, scope: "page", keys, hold: true });

const FIXED = {
  "tool.swap": command("Drawing", "Swap brush and erase", ["x"]),
  "hold.pan": held("Looking", "Pan while held", ["space"]),
  "hold.peek": held("Looking", "Hold: see the raw image. Tap: fill on or off", ["z"]),
  "hold.subtract": held("Drawing", "Take away while held", ["alt"]),
  "brush.smaller": command("Drawing", "Smaller brush", ["[", ",", "arrowdown"]),
  "brush.larger": command("Drawing", "Larger brush", ["]", ".", "arrowup"]),
  "edit.undo": command("Work", "Undo", ["mod+z"]),
  "edit.redo": command("Work", "Redo", ["mod+shift+z", "mod+y"]),
  "edit.delete": command("Cells", "Delete the selected cells", ["delete", "backspace"], "resting"),
  "edit.back": command("Drawing", "Drop the last point", ["backspace"], "gesture"),
  "edit.accept": command("Cells", "Accept; mark the selected cells as checked", ["enter"]),
  "edit.cancel": command("Work", "One step back", ["escape"]),
  "cells.new": command("Cells", "New cell: the next stroke draws one", ["n"]),
  "cells.next": command("Cells", "Next cell to check; when all are checked, the next cell", ["tab"]),
  "cells.previous": command("Cells", "Previous cell to check; when all are checked, the previous cell", ["shift+tab"]),
  "cells.highlight": command("Looking", "Highlight the selected cells", ["h"]),
  "view.in": command("Looking", "Zoom in", ["=", "+"]),
  "view.out": command("Looking", "Zoom out", ["-"]),
  "view.fit": command("Looking", "Fit the image", ["home"]),
  "view.outlines": command("Looking", "Outlines on or off", ["o"]),
  "view.colour-by": command("Looking", "Colour cells by the next property", ["shift+y"]),
  "view.next-channel": command("Looking", "Show the next channel alone", ["c"]),
  "view.previous-channel": command("Looking", "Show the previous channel alone", ["shift+c"]),
  "view.grey": command("Looking", "Channels in colour or in grey", ["y"]),
  "view.invert": command("Looking", "Invert the picture", ["i"]),
  "view.reset": command("Looking", "Reset the channels", ["0"]),
  "frame.previous": command("Frames and images", "Previous frame; previous image where there are no frames", ["a"]),
  "frame.next": command("Frames and images", "Next frame; next image where there are no frames", ["d"]),
  "frame.copy": command("Frames and images", "Copy the selected cells to the next frame", ["shift+d"], "stack"),
  "image.previous": command("Frames and images", "Previous image", ["mod+arrowleft"]),
  "image.next": command("Frames and images", "Next image", ["mod+arrowright"]),
  "image.save": command("Work", "Save now", ["mod+s"]),
  "image.submit": command("Work", "Submit and open the next image", ["mod+enter"]),
  "image.skip": command("Work", "Skip this image, with a reason", ["mod+space", "alt+enter"]),
  "note.write": command("Work", "Write a note on the selected cell or the image", ["shift+n"]),
  "help.keys": command("Help", "All keys", ["?", "f1"]),
  "page.next-part": command("Help", "Go to the next part of the page", ["f6"]),
  "page.previous-part": command("Help", "Go to the previous part of the page", ["shift+f6"]),
} as const;

export type ClassAction = `class.${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`;
export type Action = keyof typeof FIXED | `tool.${ToolId}` | `op.${OperationId}` | ClassAction;

const tools = TOOLS.map(({ id, name, key }): [string, Command] => [`tool.${id}`, command("Tools", name, [key])]);
const operations = OPERATIONS.map(({ id, name, key }): [string, Command] => [`op.${id}`, command("Cells", name, key === null ? [] : [key])]);
const classes = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit): [string, Command] => [
  `class.${digit}`,
  command("Classes", `Class ${digit} for the selected cells and for new ones`, [String(digit)]),
]);

/** Everything that a key can do on the labelling page, said once. A tool's entry follows from the tools' own registry. */
export const COMMANDS = Object.fromEntries([...tools, ...operations, ...Object.entries(FIXED), ...classes]) as Readonly<Record<Action, Command>>;

export const ACTIONS = Object.keys(COMMANDS) as readonly Action[];

export const isAction = (text: string): text is Action => text in COMMANDS;

/** Whether two scopes can hold at the same moment. */
export function scopesMeet(a: Scope, b: Scope): boolean {
  const [one, other]: Partial<Situation>[] = [SCOPES[a], SCOPES[b]];
  return (Object.keys(one) as (keyof Situation)[]).every((key) => other[key] === undefined || other[key] === one[key]);
}

export function scopeHolds(scope: Scope, now: Situation): boolean {
  const wanted: Partial<Situation> = SCOPES[scope];
  return (Object.keys(wanted) as (keyof Situation)[]).every((key) => wanted[key] === now[key]);
}

/** What the pointer does with a modifier held: fixed, and shown beside the keys. */
export const POINTER_HINTS: readonly { readonly with: string; readonly does: string }[] = [
  { with: "Wheel, pinch", does: "Zoom at the pointer" },
  { with: "Shift Wheel", does: "Next or previous frame" },
  { with: "Middle drag", does: "Pan" },
  { with: "Alt click, right click", does: "Take away (smart box, brush)" },
  { with: "Alt click", does: "Merge into the selected cell (select)" },
  { with: "Ctrl click", does: "Delete the cell (select)" },
  { with: "Shift click", does: "Select more cells" },
  { with: "Double click beside cells", does: "Fit the image" },
];
