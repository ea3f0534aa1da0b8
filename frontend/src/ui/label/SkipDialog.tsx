import { Button, Group, Modal, Textarea } from "@mantine/core";
import { useState } from "react";

import styles from "./dialogs.module.css";

const REASONS = ["Out of focus", "Too crowded to label", "Not sure what is a cell", "Wrong image", "Needs an expert"];

interface Props {
  opened: boolean;
  name: string;
  onSkip: (reason: string) => void;
  onClose: () => void;
}

function SkipForm({ onSkip, onClose }: Pick<Props, "onSkip" | "onClose">) {
  const [reason, setReason] = useState("");
  const given = reason.trim();
  return (
    <form
      data-testid="skip-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (given !== "") onSkip(given);
      }}
    >
      <p className="t2">It goes to the end of the queue, and your reason with it. What you drew is kept.</p>
      <div className={styles.reasons} role="group" aria-label="Common reasons">
        {REASONS.map((words) => (
          <button key={words} type="button" aria-pressed={reason === words} onClick={() => setReason(words)}>
            {words}
          </button>
        ))}
      </div>
      <Textarea data-autofocus label="Reason" rows={2} maxLength={300} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Group justify="flex-end" gap={8} mt={20}>
        <Button size="md" variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button size="md" type="submit" disabled={given === ""}>
          Skip this image
        </Button>
      </Group>
    </form>
  );
}

/** An image is skipped with a reason, which whoever opens it next reads. */
export function SkipDialog({ opened, name, onSkip, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Skip ${name}`} closeButtonProps={{ "aria-label": "Close" }}>
      <SkipForm onSkip={onSkip} onClose={onClose} />
    </Modal>
  );
}
