import { COLOR_BY, type ColorBy } from "../render/cellTones";
import type { LabelLook } from "../render/labelLayer";
import { type Preferences, lookOf } from "./preferences";
import { type Readable, type Value, createValue } from "./value";

/** How cells and picture are shown. All but `peek` and `highlight` is kept per person. */
export interface Seeing {
  /** Opacity of a plain cell's fill, 0 to 1. */
  readonly fill: number;
  readonly outlines: boolean;
  readonly colourBy: ColorBy;
  readonly invert: boolean;
  /** All channels in grey. */
  readonly grey: boolean;
  /** Cells are hidden while a key is held. */
  readonly peek: boolean;
  /** The selected cells stand out: all others are drawn without fill. */
  readonly highlight: boolean;
}

export interface SeeingState {
  readonly seeing: Readable<Seeing>;
  setSeeing(part: Partial<Seeing>): void;
  /** Fill away, and back at what it was. */
  toggleFill(): void;
  /** Colour by the next property. */
  nextColour(): void;
  dispose(): void;
}

interface Shown {
  readonly labels: Value<LabelLook>;
  readonly inverted: Value<boolean>;
}

const FIRST_FILL = 0.17;
const KEPT = ["fill", "outlines", "colourBy", "invert", "grey"] as const;

function readSeeing(preferences: Preferences, { peek, highlight }: Pick<Seeing, "peek" | "highlight">): Seeing {
  const document = preferences.document.get();
  const colourBy = lookOf<string>(document, "seeing.colourBy", "id");
  return {
    fill: Math.min(1, Math.max(0, lookOf(document, "seeing.fill", FIRST_FILL))),
    outlines: lookOf<boolean>(document, "seeing.outlines", true),
    colourBy: COLOR_BY.find((by) => by === colourBy) ?? "id",
    invert: lookOf<boolean>(document, "seeing.invert", false),
    grey: lookOf<boolean>(document, "seeing.grey", false),
    peek,
    highlight,
  };
}

export function createSeeing(preferences: Preferences, shown: Shown): SeeingState {
  const seeing = createValue(readSeeing(preferences, { peek: false, highlight: false }));
  let lastFill = seeing.get().fill || FIRST_FILL;

  const show = (): void => {
    const { fill, outlines, colourBy, invert, peek, highlight } = seeing.get();
    shown.labels.set({ ...shown.labels.get(), fill: highlight ? 0 : fill, outlines, colorBy: colourBy, hidden: peek });
    shown.inverted.set(invert);
    if (fill > 0) lastFill = fill;
  };
  show();
  seeing.subscribe(show);
  const stop = preferences.document.subscribe(() => seeing.set(readSeeing(preferences, seeing.get())));

  const setSeeing = (part: Partial<Seeing>): void => {
    seeing.set({ ...seeing.get(), ...part });
    const kept = KEPT.flatMap((name) => (part[name] === undefined ? [] : [[`seeing.${name}`, part[name]] as const]));
    if (kept.length > 0) preferences.change({ looks: Object.fromEntries(kept) });
  };

  return {
    seeing,
    setSeeing,
    toggleFill: () => setSeeing({ fill: seeing.get().fill > 0 ? 0 : lastFill }),
    nextColour: () => setSeeing({ colourBy: COLOR_BY[(COLOR_BY.indexOf(seeing.get().colourBy) + 1) % COLOR_BY.length] }),
    dispose: stop,
  };
}
