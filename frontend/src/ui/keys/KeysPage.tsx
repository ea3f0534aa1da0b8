import { Button, Select, TextInput } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconPlus, IconRotate, IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useState, useSyncExternalStore } from "react";

import { capOf, chordOf } from "../../session/keys/chords";
import { type Action, COMMANDS } from "../../session/keys/commands";
import { keyboard } from "../../session/keys/keyboard";
import { PRESET_IDS, isPresetId, presetName } from "../../session/keys/presets";
import { preferencesFor } from "../../session/preferences";
import { useUser } from "../session/useSession";
import { PlainPage } from "../shell/PlainPage";
import table from "../theme/table.module.css";
import { type KeyRow, keyGroups } from "./keyRows";
import styles from "./keys.module.css";

/** The server keeps no more for one command. */
const MOST_KEYS = 4;

/** A row that listens: the next key is the command's, unless that needs a word first. */
interface Listening {
  readonly action: Action;
  /** A key that was pressed and that others have, or that cannot be bound. */
  readonly asked: { readonly chord: string; readonly others: readonly Action[]; readonly refusal: string | null } | null;
}

const isModifier = (chord: string): boolean => ["mod", "shift", "alt"].includes(chord);

/** Calls `onChord` with the next chord that is pressed anywhere, before the page sees it. */
function useNextChord(active: boolean, onChord: (chord: string) => void): void {
  useEffect(() => {
    if (!active) return;
    const onDown = (event: KeyboardEvent): void => {
      const chord = chordOf(event);
      if (isModifier(chord)) return;
      event.preventDefault();
      event.stopPropagation();
      onChord(chord);
    };
    window.addEventListener("keydown", onDown, { capture: true });
    return () => window.removeEventListener("keydown", onDown, { capture: true });
  }, [active, onChord]);
}

function Question({ listening, onTake, onCancel }: { listening: Listening; onTake: (chord: string) => void; onCancel: () => void }) {
  const { asked } = listening;
  if (!asked) return <em role="status">Press a key, or Esc to leave it</em>;
  return (
    <span className={styles.question} role="alert">
      {asked.refusal ?? `${capOf(asked.chord)} is "${asked.others.map((other) => COMMANDS[other].does).join('" and "')}"`}
      {!asked.refusal && (
        <Button size="compact-sm" data-testid="take-key" onClick={() => onTake(asked.chord)}>
          Take it
        </Button>
      )}
      <Button size="compact-sm" variant="default" onClick={onCancel}>
        {asked.refusal ? "Close" : "Leave it"}
      </Button>
    </span>
  );
}

interface RowProps {
  row: KeyRow;
  changed: boolean;
  listening: Listening | null;
  onListen: () => void;
  onTake: (chord: string) => void;
  onCancel: () => void;
}

/** Plain buttons: there are two hundred of them on the page. */
function CommandRow({ row, changed, listening, onListen, onTake, onCancel }: RowProps) {
  const { action, does, chords } = row;
  return (
    <li className={styles.command} data-testid="key-command" data-action={action} data-changed={changed}>
      <span className="grow">{does}</span>
      {listening ? (
        <Question listening={listening} onTake={onTake} onCancel={onCancel} />
      ) : (
        <>
          <span className={styles.caps}>
            {chords.map((chord) => (
              <span key={chord} className={styles.cap}>
                <kbd>{capOf(chord)}</kbd>
                <button type="button" aria-label={`Remove the key ${capOf(chord)} from: ${does}`} onClick={() => keyboard.bind(action, chords.filter((own) => own !== chord))}>
                  <IconX size={12} stroke={2} aria-hidden />
                </button>
              </span>
            ))}
            {chords.length === 0 && <em>no key</em>}
          </span>
          <button
            type="button"
            className={styles.icon}
            aria-label={`Add a key to: ${does}`}
            title={chords.length < MOST_KEYS ? "Add a key" : `${MOST_KEYS} keys are the most`}
            data-testid="add-key"
            disabled={chords.length >= MOST_KEYS}
            onClick={onListen}
          >
            <IconPlus size={16} stroke={1.5} aria-hidden />
          </button>
        </>
      )}
      <button type="button" className={styles.icon} aria-label={`Reset: ${does}`} title="Back to the key map's own" disabled={!changed} onClick={() => keyboard.reset(action)}>
        <IconRotate size={16} stroke={1.5} aria-hidden />
      </button>
    </li>
  );
}

function useRecording(): { listening: Listening | null; listen: (action: Action) => void; take: (chord: string) => void; cancel: () => void } {
  const [listening, setListening] = useState<Listening | null>(null);
  const cancel = (): void => setListening(null);
  const take = (chord: string): void => {
    if (listening) keyboard.bind(listening.action, [...keyboard.bindings.get()[listening.action], chord]);
    cancel();
  };
  const onChord = (chord: string): void => {
    if (!listening || chord === "escape") {
      cancel();
      return;
    }
    const asked = { chord, others: keyboard.conflicts(listening.action, chord), refusal: keyboard.refusal(chord) };
    if (asked.refusal || asked.others.length > 0) setListening({ ...listening, asked });
    else take(chord);
  };
  useNextChord(listening !== null && listening.asked === null, onChord);
  return { listening, listen: (action) => setListening({ action, asked: null }), take, cancel };
}

/** Whose keys these are, read from the server when the page is opened by itself. */
function useOwnKeys(): boolean {
  const user = useUser();
  const preferences = preferencesFor(user.id);
  useEffect(() => {
    const stop = keyboard.follow(preferences);
    preferences.sync().catch(() => undefined);
    return stop;
  }, [preferences]);
  return useSyncExternalStore(preferences.saved.subscribe, preferences.saved.get);
}

/** The keys of the labelling page: a key map that one's hands know, and what one changes in it. */
export function KeysPage() {
  useDocumentTitle("Keys · CellLoop");
  const saved = useOwnKeys();
  const [find, setFind] = useState("");
  const bindings = useSyncExternalStore(keyboard.bindings.subscribe, keyboard.bindings.get);
  const { preset, overrides } = useSyncExternalStore(keyboard.choice.subscribe, keyboard.choice.get);
  const { listening, listen, take, cancel } = useRecording();
  const changes = Object.keys(overrides).length;

  return (
    <PlainPage>
      <main className={table.page}>
        <h1>Keys</h1>
        <p className={table.lead}>The keys of the labelling page. They are yours alone and go with you to every computer.</p>
        <div className={styles.head}>
          <Select
            label="Key map"
            data-testid="key-preset"
            data={PRESET_IDS.map((id) => ({ value: id, label: presetName(id) }))}
            value={preset}
            allowDeselect={false}
            onChange={(value) => isPresetId(value) && keyboard.choosePreset(value)}
          />
          <TextInput
            className="grow"
            label="Find"
            placeholder="A key or what it does"
            leftSection={<IconSearch size={14} stroke={1.5} aria-hidden />}
            value={find}
            onChange={(event) => setFind(event.currentTarget.value)}
          />
          <Button variant="default" h={32} disabled={changes === 0} data-testid="reset-keys" onClick={() => keyboard.reset()}>
            Reset all
          </Button>
          <span className={styles.saved} role="status" data-testid="keys-saved" data-saved={saved}>
            {saved ? "Saved" : "Kept in this browser"}
          </span>
        </div>
        {keyGroups(bindings, find).map(({ group, rows }) => (
          <section key={group} className={table.card} aria-label={group}>
            <h2>{group}</h2>
            <ul>
              {rows.map((row) => (
                <CommandRow
                  key={row.action}
                  row={row}
                  changed={overrides[row.action] !== undefined}
                  listening={listening?.action === row.action ? listening : null}
                  onListen={() => listen(row.action)}
                  onTake={take}
                  onCancel={cancel}
                />
              ))}
            </ul>
          </section>
        ))}
      </main>
    </PlainPage>
  );
}
