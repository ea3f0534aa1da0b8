import { Modal, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState, useSyncExternalStore } from "react";
import { Link } from "wouter";

import { capOf } from "../../session/keys/chords";
import { keyboard } from "../../session/keys/keyboard";
import { presetName } from "../../session/keys/presets";
import { keyGroups, pointerRows } from "./keyRows";
import styles from "./keys.module.css";

function Caps({ chords }: { chords: readonly string[] }) {
  return (
    <span className={styles.caps}>
      {chords.map((chord) => (
        <kbd key={chord}>{capOf(chord)}</kbd>
      ))}
    </span>
  );
}

function AllKeys() {
  const [find, setFind] = useState("");
  const bindings = useSyncExternalStore(keyboard.bindings.subscribe, keyboard.bindings.get);
  const { preset } = useSyncExternalStore(keyboard.choice.subscribe, keyboard.choice.get);
  const groups = keyGroups(bindings, find).map(({ group, rows }) => ({ group, rows: rows.filter(({ chords }) => chords.length > 0) }));
  const pointer = pointerRows(find);
  const none = groups.every(({ rows }) => rows.length === 0) && pointer.length === 0;
  return (
    <>
      <div className={styles.head}>
        <TextInput
          data-autofocus
          className="grow"
          aria-label="Find a key or what it does"
          placeholder="Find a key or what it does"
          leftSection={<IconSearch size={14} stroke={1.5} aria-hidden />}
          value={find}
          onChange={(event) => setFind(event.currentTarget.value)}
        />
        <span className="t2">
          Key map: <b>{presetName(preset)}</b>
        </span>
        <Link href="/keys">Change keys</Link>
      </div>
      {none && <p className={styles.none}>Nothing here is called {find}.</p>}
      <div className={styles.columns}>
        {groups.map(
          ({ group, rows }) =>
            rows.length > 0 && (
              <section key={group} aria-label={group}>
                <h2>{group}</h2>
                <ul>
                  {rows.map(({ action, does, chords }) => (
                    <li key={action} data-testid="key-row" data-action={action}>
                      <span>{does}</span>
                      <Caps chords={chords} />
                    </li>
                  ))}
                </ul>
              </section>
            ),
        )}
        {pointer.length > 0 && (
          <section aria-label="Mouse, trackpad and pen">
            <h2>Mouse, trackpad and pen</h2>
            <ul>
              {pointer.map((hint) => (
                <li key={hint.with + hint.does}>
                  <span>{hint.does}</span>
                  <span className={styles.caps}>
                    <kbd>{hint.with}</kbd>
                  </span>
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </>
  );
}

/** Every key that is alive on the labelling page, to be searched; the live ones, after all rebinding. */
export function KeysOverlay({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="All keys" size={1040} closeButtonProps={{ "aria-label": "Close" }} data-testid="keys-overlay">
      <AllKeys />
    </Modal>
  );
}
