/** A chord is a key with its modifiers, as it is kept and compared: "mod+shift+z", "?", "space", "alt". */

type KeyPress = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey"> &
  Partial<Pick<KeyboardEvent, "getModifierState">>;

const MODIFIERS: Readonly<Record<string, string>> = { alt: "alt", shift: "shift", control: "mod", meta: "mod" };

/** "KeyS" is "s", "Digit1" is "1"; anything else has no name of its own. */
function byPlace(code: string): string | null {
  return /^Key([A-Z])$/.exec(code)?.[1].toLowerCase() ?? /^Digit(\d)$/.exec(code)?.[1] ?? null;
}

/**
 * What the key says, in lower case, so that CapsLock changes nothing. Where it says a letter of another script (a Cyrillic
 * layout) or what Option makes of it (a Mac), its place on the keyboard counts.
 */
function keyName({ key, code, altKey }: KeyPress): string {
  if (key === " ") return "space";
  const lower = key.toLowerCase();
  const foreign = key.length === 1 && (altKey || key > "\u007f");
  return (foreign ? byPlace(code) : null) ?? MODIFIERS[lower] ?? lower;
}

/** The chord of a key event. Shift is part of a symbol's own key; AltGr only makes symbols and is no modifier. */
export function chordOf(event: KeyPress): string {
  const name = keyName(event);
  if (event.key.toLowerCase() in MODIFIERS) return name;
  const graph = event.getModifierState?.("AltGraph") ?? false;
  const symbol = name.length === 1 && name.toUpperCase() === name;
  const parts = [
    !graph && (event.ctrlKey || event.metaKey) ? "mod" : "",
    !graph && event.altKey ? "alt" : "",
    event.shiftKey && !symbol ? "shift" : "",
    name,
  ];
  return parts.filter(Boolean).join("+");
}

/** "mod+shift+z" into its parts; the plus key itself is "+". */
function partsOf(chord: string): string[] {
  return chord.endsWith("+") ? [...chord.slice(0, -1).split("+").filter(Boolean), "+"] : chord.split("+");
}

const CAPS: Readonly<Record<string, string>> = {
  mod: "Ctrl",
  escape: "Esc",
  delete: "Del",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
};

/** A chord as it is printed on key caps: "Ctrl Shift Z". */
export function capOf(chord: string): string {
  const named = (part: string): string => CAPS[part] ?? (part.length === 1 ? part.toUpperCase() : part[0].toUpperCase() + part.slice(1));
  return partsOf(chord).map(named).join(" ");
}

/** Chords that the browser keeps for itself (closing and opening tabs, reloading): taking them would lose work or fail. */
const RESERVED: ReadonlySet<string> = new Set([
  ...["w", "t", "n", "h", "q", "l", "r", "tab"].map((key) => `mod+${key}`),
  ...["w", "t", "n", "q", "r", "i", "j", "tab"].map((key) => `mod+shift+${key}`),
  "f5",
  "f11",
  "f12",
  "alt+f4",
  "alt+arrowleft",
  "alt+arrowright",
]);

/** Why a chord cannot be bound, or null. */
export function refusal(chord: string): string | null {
  if (RESERVED.has(chord)) return `${capOf(chord)} belongs to the browser.`;
  if (["mod", "shift", "alt"].includes(chord)) return "A modifier alone is no key.";
  return null;
}
