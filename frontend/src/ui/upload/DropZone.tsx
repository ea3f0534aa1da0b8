import { UnstyledButton } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";

import { FileChooser } from "./FileChooser";
import styles from "./upload.module.css";

/** The box that says where to drop and opens the file dialog; the drop itself is caught for the whole page. */
export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  return (
    <FileChooser onFiles={onFiles}>
      {(choose) => (
        <UnstyledButton className={styles.zone} onClick={choose} data-testid="drop-zone">
          <IconUpload size={24} stroke={1.5} aria-hidden />
          <b>Drop images here</b>
          <span className="small t2">or choose files. TIFF, PNG or JPEG.</span>
        </UnstyledButton>
      )}
    </FileChooser>
  );
}
