import { Button, Group, Modal } from "@mantine/core";

interface Props {
  opened: boolean;
  title: string;
  detail: string;
  act: string;
  isDanger?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asked only before what undo cannot bring back: deleting images, restoring a model. */
export function Confirm({ opened, title, detail, act, isDanger = true, onConfirm, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <p className="t2">{detail}</p>
      <Group justify="flex-end" gap={8} mt={20}>
        <Button size="md" variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          size="md"
          data-autofocus
          data-testid="confirm"
          {...(isDanger ? { color: "var(--red-solid)", c: "#fff" } : {})}
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          {act}
        </Button>
      </Group>
    </Modal>
  );
}
