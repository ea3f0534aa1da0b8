import { type LookValue, type PreferencesDocument, preferencesGet, preferencesPut } from "../api/preferences";
import { type Readable, createValue } from "./value";

/** One person's settings: at once in this browser, soon on the server, and there again on the next computer. */
export interface Preferences {
  readonly document: Readable<PreferencesDocument>;
  /** False while the server has not got the last change yet. */
  readonly saved: Readable<boolean>;
  change(part: { keys?: PreferencesDocument["keys"]; looks?: PreferencesDocument["looks"] }): void;
  /** Asks the server; a change of this browser that it has not got yet goes first. */
  sync(): Promise<void>;
  dispose(): void;
}

interface Kept {
  readonly document: PreferencesDocument;
  readonly unsent: boolean;
}

const EMPTY: PreferencesDocument = { keys: { preset: "cellloop", overrides: {} }, looks: {} };
/** A slider sends many changes: one request for all of them. */
const SEND_AFTER_MS = 800;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function readDocument(value: unknown): PreferencesDocument | null {
  if (!isRecord(value) || !isRecord(value.keys) || !isRecord(value.keys.overrides) || !isRecord(value.looks)) return null;
  return value as unknown as PreferencesDocument;
}

function readKept(place: string): Kept {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(place) ?? "null");
    const document = isRecord(value) ? readDocument(value.document) : null;
    return document ? { document, unsent: isRecord(value) && value.unsent === true } : { document: EMPTY, unsent: false };
  } catch {
    // Storage is off, or holds something that is not ours: the server's or the defaults do.
    return { document: EMPTY, unsent: false };
  }
}

export function createPreferences(userId: number): Preferences {
  const place = `cellloop.preferences.${userId}`;
  const first = readKept(place);
  const document = createValue(first.document);
  const saved = createValue(!first.unsent);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const keep = (next: PreferencesDocument, unsent: boolean): void => {
    try {
      localStorage.setItem(place, JSON.stringify({ document: next, unsent } satisfies Kept));
    } catch {
      // Storage is off or full: the server still keeps it.
    }
    saved.set(!unsent);
    document.set(next);
  };
  const send = async (): Promise<void> => {
    const sent = document.get();
    await preferencesPut(sent);
    if (document.get() === sent) keep(sent, false);
  };
  const sendSoon = (): void => {
    clearTimeout(timer);
    // Not sent now (offline, signed out): `sync` sends it on the next occasion.
    timer = setTimeout(() => void send().catch(() => undefined), SEND_AFTER_MS);
  };
  const sync = async (): Promise<void> => {
    if (!saved.get()) {
      await send();
      return;
    }
    const answer = readDocument(await preferencesGet());
    if (answer && saved.get()) keep(answer, false);
  };
  const onOnline = (): void => void sync().catch(() => undefined);
  globalThis.addEventListener("online", onOnline);

  return {
    document,
    saved,
    change(part) {
      const now = document.get();
      keep({ keys: part.keys ?? now.keys, looks: part.looks ? { ...now.looks, ...part.looks } : now.looks }, true);
      sendSoon();
    },
    sync,
    dispose() {
      clearTimeout(timer);
      globalThis.removeEventListener("online", onOnline);
      if (!saved.get()) onOnline();
    },
  };
}

/** A number, text or switch of `looks`, or `fallback` where nothing (or another kind of thing) is kept. */
export function lookOf<T extends Exclude<LookValue, null>>({ looks }: PreferencesDocument, name: string, fallback: T): T {
  const value = looks[name];
  return typeof value === typeof fallback ? (value as T) : fallback;
}

let current: { readonly userId: number; readonly preferences: Preferences } | null = null;

/** The person at this browser has one set of preferences, whatever image is open. */
export function preferencesFor(userId: number): Preferences {
  if (current?.userId === userId) return current.preferences;
  current?.preferences.dispose();
  current = { userId, preferences: createPreferences(userId) };
  return current.preferences;
}
