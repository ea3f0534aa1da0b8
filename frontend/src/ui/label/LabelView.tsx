import { useEffect, useMemo } from "react";
import { useLocation } from "wouter";

import { type Hands, createHands } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { createSubmission } from "../../session/submission";
import { Canvas } from "./Canvas";
import { Inspector } from "./Inspector";
import { LabelBar } from "./LabelBar";
import { StatusBar } from "./StatusBar";
import { ToolRail } from "./ToolRail";
import { exposeForTests } from "./exposeForTests";
import styles from "./label.module.css";

/** After a click with the mouse the keys belong to the picture again: Space must pan, not press the same button twice. */
function giveBackKeys(event: React.MouseEvent): void {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (event.detail > 0 && button && !button.hasAttribute("aria-haspopup")) button.blur();
}

export function LabelView({ session }: { session: ImageSession }) {
  const [, navigate] = useLocation();

  const hands: Hands = useMemo(() => {
    const open = (id: string | null): void => {
      if (id) navigate(`/images/${id}`);
    };
    const submit = createSubmission(session, ({ next, project }) => navigate(next ? `/images/${next}` : `/projects/${project}`));
    return createHands(session, { openImage: open, submit });
  }, [session, navigate]);

  useEffect(() => exposeForTests(session), [session]);

  return (
    <div className={styles.page} onClick={giveBackKeys}>
      <LabelBar session={session} hands={hands} />
      <ToolRail session={session} hands={hands} />
      <Canvas session={session} hands={hands} />
      <Inspector session={session} hands={hands} />
      <StatusBar session={session} />
    </div>
  );
}
