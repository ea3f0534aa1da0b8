/** Which channel is which: the choices, and what makes an answer complete. */
import type { ChannelMap, Image } from "../../api/types";

export interface ChannelChoice {
  nuclear: string | null;
  wholeCell: string | null;
  isStain: boolean;
}

/** Every channel name of these images, in the order of their first appearance. */
export function channelNames(images: readonly Pick<Image, "channels">[]): string[] {
  return [...new Set(images.flatMap((image) => image.channels.map((channel) => channel.name)))];
}

/** How names usually speak for themselves; a wrong guess costs one choice. */
const NUCLEAR = /dapi|hoechst|draq|nucle|h2b|405/i;
const WHOLE = /actin|membrane|cyto|phase|bright|wga|tubulin|cell|whole/i;

/** The three that a colour picture has; the server knows a stain by them. */
const RGB: readonly string[] = ["Red", "Green", "Blue"];

export function hasColour(names: readonly string[]): boolean {
  return RGB.every((name) => names.includes(name));
}

/** The channels that can be given a part: a stain uses its three colours together. */
export function namedChannels(names: readonly string[], isStain: boolean): string[] {
  return isStain ? names.filter((name) => !RGB.includes(name)) : [...names];
}

/**
 * What the form starts from: what the project remembers where the images have it, else what the names suggest. Where
 * only stains wait, the remembered names stay, and where none waits, what was said of stains: the map is one for all.
 */
export function guessChannels(names: readonly string[], remembered: ChannelMap | null): ChannelChoice {
  const isStain = remembered?.rgb || (hasColour(names) && !RGB.includes(remembered?.nuclear ?? remembered?.whole_cell ?? ""));
  const named = namedChannels(names, isStain);
  if (named.length === 0) return { nuclear: remembered?.nuclear ?? null, wholeCell: remembered?.whole_cell ?? null, isStain };
  const known = (name: string | null | undefined) => (name && named.includes(name) ? name : null);
  const nuclear = known(remembered?.nuclear) ?? named.find((name) => NUCLEAR.test(name)) ?? null;
  const wholeCell = known(remembered?.whole_cell) ?? named.find((name) => name !== nuclear && WHOLE.test(name)) ?? null;
  return { nuclear, wholeCell, isStain };
}

/** What is wrong with the choice for these channels, in a sentence; empty when it can be saved. */
export function choiceProblem({ nuclear, wholeCell, isStain }: ChannelChoice, names: readonly string[]): string {
  if (nuclear === null && wholeCell === null) return isStain && hasColour(names) ? "" : "Choose at least one channel.";
  if (nuclear === wholeCell) return "Nuclear and whole-cell need different channels. Leave one empty.";
  return "";
}

export function channelMapOf({ nuclear, wholeCell, isStain }: ChannelChoice): ChannelMap {
  return { nuclear, whole_cell: wholeCell, rgb: isStain };
}

export function channelMapWords(map: ChannelMap): string {
  const parts = [map.nuclear && `${map.nuclear} is nuclear`, map.whole_cell && `${map.whole_cell} is whole-cell`, map.rgb && "colour is a stain"];
  return parts.filter(Boolean).join(", ");
}
