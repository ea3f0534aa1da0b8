import { Tooltip } from "@mantine/core";

import type { ImageSession } from "../../session/imageSession";
import { Avatar } from "../shell/Avatar";
import styles from "./labelBar.module.css";
import { useValue } from "./useValue";

const MOST = 3;

/** Who else has this image open; a ring marks the one who draws. Nobody else: nothing. */
export function People({ session }: { session: ImageSession }) {
  const tabs = useValue(session.people);
  const others = tabs.filter((tab) => tab.session !== session.me);
  if (others.length === 0) return null;
  const rest = others.length - MOST;
  return (
    <ul className={styles.people} aria-label="Also here" data-testid="people">
      {others.slice(0, MOST).map((tab) => {
        const words = `${tab.name} ${tab.editing ? "is labelling" : "is looking"}`;
        return (
          <Tooltip key={tab.session} label={words}>
            <li data-editing={tab.editing}>
              <Avatar id={tab.id} initials={tab.initials} name={words} />
            </li>
          </Tooltip>
        );
      })}
      {rest > 0 && <li>+{rest}</li>}
    </ul>
  );
}
