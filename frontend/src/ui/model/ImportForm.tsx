import { Button, FileButton, Group, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { messageOf } from "../../api/errors";
import { versionImport } from "../../api/model";
import { bytes, percent } from "../format";
import { keys } from "../queries";
import { say } from "../states/messages";
import { Bar } from "./Bar";
import styles from "./model.module.css";

/** A person who stopped the upload needs no sentence about it. */
function wasStopped(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

function useImport(projectId: string, onDone: () => void) {
  const queryClient = useQueryClient();
  const [progress, setProgress] = useState(0);
  const stopper = useRef<AbortController | null>(null);
  useEffect(() => () => stopper.current?.abort(), []);
  const upload = useMutation({
    mutationFn: (file: File) => {
      stopper.current = new AbortController();
      setProgress(0);
      return versionImport(projectId, file, { onProgress: setProgress, signal: stopper.current.signal });
    },
    onSuccess: ({ name }) => {
      say(`${name} imported. It labels nothing before somebody promotes it.`);
      onDone();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.model(projectId) }),
  });
  return { upload, progress };
}

function Fields({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const { upload, progress } = useImport(projectId, onClose);
  return (
    <div className={styles.form} data-testid="import-form">
      <p className={styles.formNote}>
        A safetensors file of one full model, as another project&rsquo;s checkpoint or the training command writes it. Pickle files are never read. The version is checked, kept beside the others, and can be compared and promoted like any
        of them.
      </p>
      <div className={styles.drop}>
        <FileButton onChange={setFile} accept=".safetensors" inputProps={{ "aria-label": "Checkpoint file" }}>
          {(props) => (
            <Button {...props} variant="default" disabled={upload.isPending}>
              Choose a file
            </Button>
          )}
        </FileButton>
        <span className="ellipsis t2">{file ? `${file.name}, ${bytes(file.size)}` : "No file chosen"}</span>
      </div>
      {upload.isPending && (
        <>
          <Bar value={progress} label="Upload" />
          <p className={styles.formNote}>{progress < 1 ? `${percent(progress)} sent` : "The server checks every weight"}</p>
        </>
      )}
      {upload.isError && !wasStopped(upload.error) && (
        <p className={styles.formError} role="alert" data-testid="import-error">
          {messageOf(upload.error)}
        </p>
      )}
      <Group justify="flex-end" gap={8}>
        <Button size="md" variant="default" onClick={onClose}>
          {upload.isPending ? "Stop" : "Cancel"}
        </Button>
        <Button size="md" loading={upload.isPending} disabled={file === null} data-testid="import" onClick={() => file && upload.mutate(file)}>
          Import
        </Button>
      </Group>
    </div>
  );
}

/** A checkpoint from a file; what is wrong with it is said in the server's words. */
export function ImportForm({ projectId, opened, onClose }: { projectId: string; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Import a version" closeButtonProps={{ "aria-label": "Close" }}>
      <Fields projectId={projectId} onClose={onClose} />
    </Modal>
  );
}
