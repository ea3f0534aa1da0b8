import { client, unwrap } from "./client";
import type { components } from "./schema";

export type LookValue = number | boolean | string | null;

/** What one person set for all their images: keys, and how pictures and cells are shown. */
export interface PreferencesDocument {
  readonly keys: { readonly preset: Preset; readonly overrides: Readonly<Record<string, readonly string[]>> };
  readonly looks: Readonly<Record<string, LookValue>>;
}

type Wire = components["schemas"]["PreferencesJson"];
export type Preset = Wire["keys"]["preset"];

const readDocument = ({ keys, looks }: Wire): PreferencesDocument => ({ keys: { preset: keys.preset, overrides: keys.overrides ?? {} }, looks: looks ?? {} });

export async function preferencesGet(): Promise<PreferencesDocument> {
  return readDocument(await unwrap(client.GET("/api/me/preferences")));
}

/** The whole document: the last one that is sent wins. */
export async function preferencesPut({ keys, looks }: PreferencesDocument): Promise<PreferencesDocument> {
  const overrides = Object.fromEntries(Object.entries(keys.overrides).map(([name, chords]) => [name, [...chords]]));
  return readDocument(await unwrap(client.PUT("/api/me/preferences", { body: { keys: { preset: keys.preset, overrides }, looks } })));
}
