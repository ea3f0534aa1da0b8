import { Button, Group, Modal, NumberInput, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { messageOf } from "../../api/errors";
import { projectUpdate } from "../../api/projects";
import type { Project } from "../../api/types";
import { keys } from "../queries";
import { say } from "../states/messages";
import styles from "./model.module.css";
import { CUSTOM, PRESETS, presetOf, scheduleProblem } from "./schedule";

interface Props {
  project: Project;
  opened: boolean;
  onClose: () => void;
}

function Fields({ project, onClose }: { project: Project; onClose: () => void }) {
  const queryClient = useQueryClient();
  const [threshold, setThreshold] = useState<number | string>(project.correction_threshold);
  const [preset, setPreset] = useState(presetOf(project.train_schedule));
  const [line, setLine] = useState(project.train_schedule);
  const schedule = preset === CUSTOM ? line.trim() : preset;
  const thresholdProblem = typeof threshold === "number" && threshold >= 1 ? "" : "At least 1 corrected cell.";
  const lineProblem = preset !== CUSTOM ? "" : line.trim() === "" ? "Write a crontab line, or choose Off." : scheduleProblem(line);
  const save = useMutation({
    mutationFn: () => projectUpdate(project.id, { correction_threshold: Number(threshold), train_schedule: schedule }),
    onSuccess: (saved) => {
      queryClient.setQueryData(keys.project(project.id), saved);
      void queryClient.invalidateQueries({ queryKey: keys.model(project.id) });
      say("Schedule saved");
      onClose();
    },
  });
  return (
    <form
      className={styles.form}
      data-testid="schedule-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!thresholdProblem && !lineProblem) save.mutate();
      }}
    >
      <NumberInput
        label="Train after this many corrected cells"
        description="Missed, deleted and reshaped cells in submitted images, since the last run."
        min={1}
        max={1_000_000}
        allowDecimal={false}
        allowNegative={false}
        thousandSeparator=","
        value={threshold}
        error={thresholdProblem}
        onChange={setThreshold}
      />
      <Select
        label="Also on a schedule"
        description="Only if there is something new to learn. Times are the server's."
        data={[...PRESETS, { value: CUSTOM, label: "Other times" }]}
        value={preset}
        allowDeselect={false}
        onChange={(value) => setPreset(value ?? "")}
      />
      {preset === CUSTOM && (
        <TextInput label="Crontab line" placeholder="0 2 * * 1-5" maxLength={100} value={line} error={lineProblem} onChange={(event) => setLine(event.currentTarget.value)} />
      )}
      {save.isError && (
        <p className={styles.formError} role="alert">
          {messageOf(save.error)}
        </p>
      )}
      <Group justify="flex-end" gap={8}>
        <Button size="md" variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button size="md" type="submit" loading={save.isPending} disabled={Boolean(thresholdProblem || lineProblem)}>
          Save
        </Button>
      </Group>
    </form>
  );
}

/** When training starts by itself. */
export function ScheduleForm({ project, opened, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title="When to train" closeButtonProps={{ "aria-label": "Close" }}>
      <Fields project={project} onClose={onClose} />
    </Modal>
  );
}
