import { Button, Group, Modal, Textarea } from "@mantine/core";
import { useState } from "react";

interface Props {
  opened: boolean;
  /** "cell 12", or "the image". */
  on: string;
  /** Whether it was sent: what was not stays in the field. */
  onWrite: (text: string) => Promise<boolean>;
  onClose: () => void;
}

function NoteForm({ onWrite, onClose }: Pick<Props, "onWrite" | "onClose">) {
  const [text, setText] = useState("");
  const [failed, setFailed] = useState(false);
  const written = text.trim();
  const write = async (): Promise<void> => {
    if (written === "") return;
    const sent = await onWrite(written);
    setFailed(!sent);
    if (sent) onClose();
  };
  return (
    <form
      data-testid="note-form"
      onSubmit={(event) => {
        event.preventDefault();
        void write();
      }}
    >
      <Textarea
        data-autofocus
        label="Note"
        rows={3}
        maxLength={2000}
        value={text}
        error={failed ? "The note was not sent. Try again." : null}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void write();
        }}
      />
      <Group justify="flex-end" gap={8} mt={20}>
        <Button size="md" variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button size="md" type="submit" disabled={written === ""} rightSection={<kbd>Ctrl Enter</kbd>}>
          Add note
        </Button>
      </Group>
    </form>
  );
}

/** A note, written without leaving the picture. */
export function NoteDialog({ opened, on, onWrite, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Note on ${on}`} closeButtonProps={{ "aria-label": "Close" }}>
      <NoteForm onWrite={onWrite} onClose={onClose} />
    </Modal>
  );
}
