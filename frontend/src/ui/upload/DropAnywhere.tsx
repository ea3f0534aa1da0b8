import { IconUpload } from "@tabler/icons-react";
import { useEffect, useRef, useState, type ReactNode } from "react";

import { complain } from "../states/messages";
import { carriesFiles, droppedFiles } from "./dropped";
import styles from "./upload.module.css";

interface Props {
  onFiles: (files: File[]) => void;
  children: ReactNode;
}

/** Files may be let go anywhere on the page: missing the box must not open the image in the browser. */
export function DropAnywhere({ onFiles, children }: Props) {
  const [isOver, setOver] = useState(false);
  // dragenter and dragleave come for every element that the pointer crosses: count them.
  const depth = useRef(0);

  useEffect(() => {
    const enter = (event: DragEvent) => {
      if (!carriesFiles(event.dataTransfer)) return;
      event.preventDefault();
      depth.current += 1;
      setOver(true);
    };
    const over = (event: DragEvent) => {
      if (carriesFiles(event.dataTransfer)) event.preventDefault();
    };
    const end = () => {
      depth.current = 0;
      setOver(false);
    };
    const leave = () => {
      depth.current = Math.max(0, depth.current - 1);
      if (depth.current === 0) end();
    };
    const drop = (event: DragEvent) => {
      end();
      if (event.dataTransfer === null || !carriesFiles(event.dataTransfer)) return;
      event.preventDefault();
      droppedFiles(event.dataTransfer).then(onFiles, (error: unknown) => complain("The dropped files could not be read", error));
    };
    const handlers = { dragenter: enter, dragover: over, dragleave: leave, drop, dragend: end } as const;
    const entries = Object.entries(handlers) as [keyof typeof handlers, (event: DragEvent) => void][];
    for (const [name, handler] of entries) window.addEventListener(name, handler);
    return () => {
      for (const [name, handler] of entries) window.removeEventListener(name, handler);
    };
  }, [onFiles]);

  return (
    <>
      {children}
      {isOver && (
        <div className={styles.overlay} aria-hidden>
          <div>
            <IconUpload size={32} stroke={1.3} />
            <b>Let go to add the images</b>
          </div>
        </div>
      )}
    </>
  );
}
