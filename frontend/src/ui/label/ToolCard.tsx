import { ActionIcon } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useRef } from "react";

import type { ImageSession } from "../../session/imageSession";
import { keyboard, keyCap, shortKeyCap } from "../../session/keys/keyboard";
import { TOOLS } from "../../tools/registry";
import { usePreference } from "../session/usePreference";
import { ToolOptions } from "./ToolOptions";
import { TOOL_ICONS } from "./toolIcons";
import styles from "./tools.module.css";
import { useCover } from "./useCover";
import { useValue } from "./useValue";

/** A fitted picture keeps clear of the tallest tool's card, so that another tool never covers what was free. */
const TALLEST = 340;

/** Windows in which the card would take a third of the picture's width. */
const SMALL = "(max-width: 1180px)";

/** Who the next stroke is for. */
function target(session: ImageSession, selection: ReadonlySet<string>): string {
  const [only] = selection;
  const cell = selection.size === 1 ? session.document.get(only) : undefined;
  if (cell) return `Cell ${cell.label} is selected.`;
  return selection.size > 1 ? `${selection.size} cells are selected.` : "No cell is selected.";
}

/** What the class brush gives. */
function ChosenClass({ session }: { session: ImageSession }) {
  const current = useValue(session.classes.current);
  const chosen = useValue(session.classes.all).find(({ id }) => id === current);
  return chosen ? `The class is ${chosen.name}.` : "No class is chosen: they lose the one that they have.";
}

/** The active tool, its options and one sentence on how it is used. Folded, it is one line. */
export function ToolCard({ session, sideBySide }: { session: ImageSession; sideBySide: boolean }) {
  const active = useValue(session.tool);
  const selection = useValue(session.selection);
  useValue(keyboard.bindings);
  const small = useMediaQuery(SMALL, false, { getInitialValueInEffect: false });
  // Small pictures leave no room for a large card beside them.
  const [folded, setFolded] = usePreference<boolean>(sideBySide ? "ui.toolCard.foldedBeside" : small ? "ui.toolCard.foldedSmall" : "ui.toolCard.folded", sideBySide || small);
  const card = useRef<HTMLElement>(null);
  const tool = TOOLS.find(({ id }) => id === active) ?? TOOLS[0];
  const Icon = TOOL_ICONS[tool.icon];

  useCover(session.view, "top-left", card, folded ? 0 : TALLEST);

  return (
    <section ref={card} className={styles.card} aria-label={`${tool.name} options`} data-testid="tool-card">
      <header>
        <Icon size={16} stroke={1.5} aria-hidden />
        <h2>{tool.name}</h2>
        <kbd title={keyCap(`tool.${tool.id}`)}>{shortKeyCap(`tool.${tool.id}`)}</kbd>
        <ActionIcon size={24} aria-label={folded ? "Show the tool's options" : "Fold the tool's options away"} aria-expanded={!folded} onClick={() => setFolded(!folded)}>
          {folded ? <IconChevronDown size={14} stroke={1.8} /> : <IconChevronUp size={14} stroke={1.8} />}
        </ActionIcon>
      </header>
      {!folded && (
        <>
          <ToolOptions session={session} ids={tool.options} />
          <p>
            {tool.says} {tool.changes && <span className="t3">{tool.id === "class" ? <ChosenClass session={session} /> : target(session, selection)}</span>}
          </p>
        </>
      )}
    </section>
  );
}
