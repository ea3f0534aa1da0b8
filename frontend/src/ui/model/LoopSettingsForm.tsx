import { Button, Group, Modal, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { messageOf } from "../../api/errors";
import { loopSettingsSet } from "../../api/model";
import type { LoopSettings, Project } from "../../api/types";
import { canManage } from "../people/roles";
import { keys } from "../queries";
import { say } from "../states/messages";
import styles from "./model.module.css";
import { CUSTOM, PRESETS, presetOf, scheduleProblem, scheduleWords } from "./schedule";

interface Props {
  project: Project;
  settings: LoopSettings;
  opened: boolean;
  onClose: () => void;
}

const MODES: readonly { value: LoopSettings["presegmentation"]; label: string; description: string }[] = [
  { value: "auto", label: "Where it helps", description: "Only cells with scores at which more can stay than are wrong, and none while fewer than half are right: mending those costs more than drawing. Held-out images tell or, until a run has measured them, the images labelled so far; before any are, images that the model is unsure of open empty." },
  { value: "always", label: "Always", description: "Every image opens with the model's cells, however good they are." },
  { value: "never", label: "Never", description: "Every image opens empty; what the model finds waits as a proposal." },
];

interface FieldProps {
  settings: LoopSettings;
  onChange: (part: Partial<LoopSettings>) => void;
}

const thresholdProblem = ({ correction_threshold: threshold }: LoopSettings): string => (threshold >= 1 ? "" : "At least 1 corrected cell.");

function TrainingFields({ settings, onChange, line, onLine }: FieldProps & { line: LineState; onLine: (line: LineState) => void }) {
  return (
    <>
      <NumberInput
        label="Train after this many corrected cells"
        description="Missed, deleted and reshaped cells in submitted images, since the last run."
        min={1}
        max={1_000_000}
        allowDecimal={false}
        allowNegative={false}
        thousandSeparator=","
        value={settings.correction_threshold || ""}
        error={thresholdProblem(settings)}
        onChange={(value) => onChange({ correction_threshold: Number(value) })}
      />
      <Select
        label="Also on a schedule"
        description="Only if there is something new to learn. Times are the server's."
        data={[...PRESETS, { value: CUSTOM, label: "Other times" }]}
        value={line.preset}
        allowDeselect={false}
        onChange={(preset) => onLine({ ...line, preset: preset ?? "" })}
      />
      {line.preset === CUSTOM && (
        <TextInput label="Crontab line" placeholder="0 2 * * 1-5" maxLength={100} value={line.text} error={lineProblem(line)} onChange={(event) => onLine({ ...line, text: event.currentTarget.value })} />
      )}
      {lineOf(line) && !lineProblem(line) && (
        <p className={styles.preview} data-testid="schedule-preview">
          Trains {scheduleWords(lineOf(line))}.
        </p>
      )}
      <Switch
        label="Deep training"
        description="Also tunes the trunk, for images that the base has never seen the like of. Takes hours without a GPU, and all features are computed anew before the version serves."
        checked={settings.deep}
        onChange={(event) => onChange({ deep: event.currentTarget.checked })}
      />
    </>
  );
}

function LabellingFields({ settings, onChange }: FieldProps) {
  const mode = MODES.find(({ value }) => value === settings.presegmentation) ?? MODES[0];
  return (
    <>
      <Select
        label="Show what the model found when an image opens"
        description={mode.description}
        data={MODES.map(({ value, label }) => ({ value, label }))}
        value={mode.value}
        allowDeselect={false}
        onChange={(value) => onChange({ presegmentation: MODES.find((known) => known.value === value)?.value ?? "auto" })}
      />
      <Switch
        label="Label held-out images blind"
        description="They open without outlines, so a new version is judged by what people see and not by what the old one drew."
        checked={settings.blind_held_out}
        onChange={(event) => onChange({ blind_held_out: event.currentTarget.checked })}
      />
      <NumberInput
        label="Images to hold out"
        description="Kept from training: five of the first twelve groups of images, then one of four, until there are this many. 5 decide, more decide better."
        min={0}
        max={1_000}
        allowDecimal={false}
        allowNegative={false}
        value={settings.held_out_target}
        onChange={(value) => onChange({ held_out_target: Number(value) })}
      />
    </>
  );
}

interface LineState {
  preset: string;
  text: string;
}

const lineOf = ({ preset, text }: LineState): string => (preset === CUSTOM ? text.trim() : preset);

function lineProblem(line: LineState): string {
  if (line.preset !== CUSTOM) return "";
  return line.text.trim() === "" ? "Write a crontab line, or choose Off." : scheduleProblem(line.text);
}

function Fields({ project, settings: saved, onClose }: Omit<Props, "opened">) {
  const queryClient = useQueryClient();
  const mayChange = canManage(project.role);
  const [settings, setSettings] = useState(saved);
  const [line, setLine] = useState<LineState>({ preset: presetOf(saved.train_schedule), text: saved.train_schedule });
  const problem = thresholdProblem(settings) || lineProblem(line);
  const onChange = (part: Partial<LoopSettings>) => setSettings({ ...settings, ...part });
  const save = useMutation({
    mutationFn: () => loopSettingsSet(project.id, { ...settings, train_schedule: lineOf(line) }),
    onSuccess: (model) => {
      queryClient.setQueryData(keys.model(project.id), model);
      void queryClient.invalidateQueries({ queryKey: keys.project(project.id) });
      say("Loop settings saved");
      onClose();
    },
  });
  return (
    <form
      className={styles.form}
      data-testid="loop-settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem) save.mutate();
      }}
    >
      {!mayChange && <p className={styles.formNote}>Owners and admins of this project change these. You see how they are set.</p>}
      <fieldset disabled={!mayChange} aria-label="Loop settings">
        <TrainingFields settings={settings} onChange={onChange} line={line} onLine={setLine} />
        <LabellingFields settings={settings} onChange={onChange} />
      </fieldset>
      {save.isError && (
        <p className={styles.formError} role="alert">
          {messageOf(save.error)}
        </p>
      )}
      <Group justify="flex-end" gap={8}>
        <Button size="md" variant="default" onClick={onClose}>
          {mayChange ? "Cancel" : "Close"}
        </Button>
        {mayChange && (
          <Button size="md" type="submit" loading={save.isPending} disabled={Boolean(problem)}>
            Save
          </Button>
        )}
      </Group>
    </form>
  );
}

/** When training starts by itself, how deep it goes, and what people see when an image opens. */
export function LoopSettingsForm({ opened, ...fields }: Props) {
  return (
    <Modal opened={opened} onClose={fields.onClose} title="Loop settings" size={520} closeButtonProps={{ "aria-label": "Close" }}>
      <Fields {...fields} />
    </Modal>
  );
}
