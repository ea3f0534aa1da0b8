import { useDocumentTitle } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";
import { useLocation } from "wouter";

import { createHands, type Hands, type PageActions } from "../../session/actions";
import type { ImageSession } from "../../session/imageSession";
import { KeysOverlay } from "../keys/KeysOverlay";
import { Canvas } from "./Canvas";
import { exposeForTests } from "./exposeForTests";
import { Filmstrip } from "./Filmstrip";
import { goToPart } from "./parts";
import { FrameSlider } from "./FrameSlider";
import { Inspector } from "./Inspector";
import { LabelBar } from "./LabelBar";
import { NoteDialog } from "./NoteDialog";
import { SkipDialog } from "./SkipDialog";
import { StatusBar } from "./StatusBar";
import { ToolRail } from "./ToolRail";
import styles from "./label.module.css";
import { useShown } from "./useShown";
import { useValue } from "./useValue";

/** After a click with the mouse the keys belong to the picture again: Space must pan, not press the same button twice. */
function giveBackKeys(event: React.MouseEvent): void {
  const target = event.target instanceof Element ? event.target : null;
  if (event.detail === 0 || !target || target.closest("[role=dialog]")) return;
  const pressed = target.closest("button:not([aria-haspopup]), [data-gives-back-keys]");
  if (pressed && document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/** During a drag all that is not about it hides; tooltips hang on the document's body. */
function useQuietDrags({ view }: ImageSession): void {
  const dragging = useValue(view.dragging);
  useEffect(() => {
    document.body.toggleAttribute("data-dragging", dragging);
    return () => document.body.removeAttribute("data-dragging");
  }, [dragging]);
}

type Dialog = "skip" | "note" | "keys";

interface DialogsProps {
  session: ImageSession;
  hands: Hands;
  open: Dialog | null;
  onClose: () => void;
}

function Dialogs({ session, hands, open, onClose }: DialogsProps) {
  const [only, ...more] = useValue(session.selection);
  const cell = only !== undefined && more.length === 0 ? session.document.get(only) : undefined;
  return (
    <>
      <SkipDialog
        opened={open === "skip"}
        name={session.opened.image.name}
        onClose={onClose}
        onSkip={(reason) => {
          onClose();
          hands.skip(reason);
        }}
      />
      <NoteDialog
        opened={open === "note"}
        on={cell ? `cell ${cell.label}` : "the image"}
        onClose={onClose}
        onWrite={(text) => session.notes.write(text, cell?.id ?? null)}
      />
      <KeysOverlay opened={open === "keys"} onClose={onClose} />
    </>
  );
}

export function LabelView({ session }: { session: ImageSession }) {
  const [, navigate] = useLocation();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const shown = useShown();
  const { image, project } = session.opened;
  useDocumentTitle(`${image.name} · ${project.name} · CellLoop`);

  const hands: Hands = useMemo(() => {
    const page: PageActions = {
      openImage: (id) => navigate(`/images/${id}`),
      leave: () => navigate(`/projects/${project.id}`),
      address: () => window.location.pathname,
      askSkip: () => setDialog("skip"),
      askNote: () => setDialog("note"),
      showKeys: () => setDialog("keys"),
      goToPart,
    };
    return createHands(session, page);
  }, [session, navigate, project.id]);

  useEffect(() => exposeForTests(session), [session]);
  useQuietDrags(session);

  return (
    <div className={styles.page} onClick={giveBackKeys}>
      <LabelBar session={session} hands={hands} />
      <ToolRail session={session} hands={hands} />
      <Canvas session={session} hands={hands} />
      <div className={styles.below}>
        <FrameSlider session={session} hands={hands} />
        {shown.is("filmstrip") && <Filmstrip session={session} />}
      </div>
      <Inspector session={session} hands={hands} />
      <StatusBar session={session} />
      <Dialogs session={session} hands={hands} open={dialog} onClose={() => setDialog(null)} />
    </div>
  );
}
