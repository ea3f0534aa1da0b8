import { Button, Group, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";

import { messageOf } from "../../api/errors";
import { projectCreate } from "../../api/projects";
import { keys } from "../queries";

interface Props {
  opened: boolean;
  onClose: () => void;
}

export function NewProject({ opened, onClose }: Props) {
  const queryClient = useQueryClient();
  const [, navigate] = useLocation();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => projectCreate(name.trim()),
    onSuccess: (project) => {
      void queryClient.invalidateQueries({ queryKey: keys.projects });
      navigate(`/projects/${project.id}`);
    },
  });
  return (
    <Modal opened={opened} onClose={onClose} title="New project" closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) create.mutate();
        }}
      >
        <TextInput
          label="Name"
          description="Images in one project share their channels and their model."
          data-autofocus
          data-testid="new-project-name"
          maxLength={200}
          value={name}
          error={create.isError ? messageOf(create.error) : null}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap={8} mt={20}>
          <Button size="md" variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button size="md" type="submit" disabled={name.trim() === ""} loading={create.isPending} data-testid="new-project-create">
            Create project
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
