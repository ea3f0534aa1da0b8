import type { ChannelLook } from "../render/imageLayer";

type Rgb = readonly [number, number, number];

/** The first two are the house's; then the next ones in its order. */
export const CHANNEL_COLORS: readonly Rgb[] = [
  [0x6c, 0x9c, 0xff],
  [0xf5, 0x82, 0x4a],
  [0x5f, 0xd3, 0x8d],
  [0xe8, 0x6a, 0xd0],
  [0xf2, 0xd9, 0x4b],
  [0xe8, 0xec, 0xf0],
];
export const GREY: Rgb = [0xe8, 0xec, 0xf0];
const RGB: Readonly<Record<string, Rgb>> = { red: [255, 0, 0], green: [0, 255, 0], blue: [0, 0, 255] };

/** Whether the channels are the colours of one camera picture, which must not be stretched apart. */
export function isColorPicture(names: readonly string[]): boolean {
  const found = names.map((name) => name.toLowerCase());
  return found.length === 3 && Object.keys(RGB).every((name) => found.includes(name));
}

/** How channels look before anybody touched them; ranges follow once the samples are known. */
export function defaultLooks(names: readonly string[], dtype: string): ChannelLook[] {
  const color = isColorPicture(names);
  const high = dtype === "uint16" ? 65535 : 255;
  return names.map((name, index) => ({
    color: color ? RGB[name.toLowerCase()] : names.length === 1 ? GREY : CHANNEL_COLORS[index % CHANNEL_COLORS.length],
    low: 0,
    high,
    gamma: 1,
    visible: true,
  }));
}

const keyOf = (projectId: string, name: string): string => `cellloop.contrast.${projectId}.${name}`;

function isLook(value: unknown): value is ChannelLook {
  if (typeof value !== "object" || value === null) return false;
  const look = value as Partial<Record<keyof ChannelLook, unknown>>;
  const numbers = [look.low, look.high, look.gamma, ...(Array.isArray(look.color) ? (look.color as unknown[]) : [])];
  return numbers.length === 6 && numbers.every((n) => typeof n === "number" && Number.isFinite(n)) && typeof look.visible === "boolean";
}

/** Contrast is kept from image to image: per project and channel name, in this browser. */
export function savedLook(projectId: string, name: string): ChannelLook | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(keyOf(projectId, name)) ?? "null");
    return isLook(value) ? value : null;
  } catch {
    // Storage is off, or holds something that is not ours: the defaults do.
    return null;
  }
}

export function saveLook(projectId: string, name: string, look: ChannelLook): void {
  try {
    localStorage.setItem(keyOf(projectId, name), JSON.stringify(look));
  } catch {
    // Storage is off or full: contrast then lasts as long as the page.
  }
}

export function forgetLook(projectId: string, name: string): void {
  try {
    localStorage.removeItem(keyOf(projectId, name));
  } catch {
    // As above.
  }
}
