import { Button, Select, Switch, UnstyledButton } from "@mantine/core";
import { IconVectorTriangle } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { channelMapSet } from "../../api/projects";
import type { Project } from "../../api/types";
import { counted, listed } from "../format";
import { canEdit } from "../people/roles";
import { keys } from "../queries";
import { complain, say } from "../states/messages";
import { channelMapOf, channelMapWords, channelNames, choiceProblem, guessChannels, hasColour, namedChannels, type ChannelChoice } from "./channels";
import styles from "./images.module.css";
import { useImages } from "./useImages";

interface FormProps {
  project: Project;
  names: readonly string[];
  waiting: number;
  onDone: () => void;
}

function ChannelMapForm({ project, names, waiting, onDone }: FormProps) {
  const queryClient = useQueryClient();
  const [choice, setChoice] = useState<ChannelChoice>(() => guessChannels(names, project.channel_map));
  const problem = choiceProblem(choice, names);
  const save = useMutation({
    mutationFn: () => channelMapSet(project.id, channelMapOf(choice)),
    onSuccess: ({ continued }) => {
      say(continued > 0 ? `Channels saved. ${counted(continued, "image goes", "images go")} on.` : "Channels saved");
      for (const queryKey of [keys.project(project.id), keys.images(project.id)]) void queryClient.invalidateQueries({ queryKey });
      onDone();
    },
    onError: (error) => complain("The channels were not saved", error),
  });
  const named = namedChannels(names, choice.isStain);
  const kept = [choice.nuclear, choice.wholeCell].filter((name) => name !== null);
  const data = [...new Set([...named, ...kept])];

  function setStain(isStain: boolean) {
    const allowed = namedChannels(names, isStain);
    const still = (name: string | null) => (name !== null && (allowed.includes(name) || !names.includes(name)) ? name : null);
    setChoice({ nuclear: still(choice.nuclear), wholeCell: still(choice.wholeCell), isStain });
  }

  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (problem === "") save.mutate();
      }}
    >
      {waiting > 0 && (
        <p className="small t2">
          {counted(waiting, "image waits", "images wait")} for this. Channels in {waiting === 1 ? "it" : "them"}: {listed(names)}.
        </p>
      )}
      {hasColour(names) && (
        <Switch
          label="Colour images are stained tissue"
          checked={choice.isStain}
          data-testid="channel-map-rgb"
          onChange={(event) => setStain(event.currentTarget.checked)}
        />
      )}
      <Select
        label="Nuclear"
        placeholder="None"
        clearable
        data={data}
        value={choice.nuclear}
        disabled={data.length === 0}
        data-testid="channel-map-nuclear"
        onChange={(nuclear) => setChoice({ ...choice, nuclear })}
      />
      <Select
        label="Whole-cell"
        placeholder="None"
        clearable
        data={data}
        value={choice.wholeCell}
        disabled={data.length === 0}
        data-testid="channel-map-whole-cell"
        onChange={(wholeCell) => setChoice({ ...choice, wholeCell })}
      />
      {problem && <p className="small t2">{problem}</p>}
      <Button type="submit" size="md" disabled={problem !== ""} loading={save.isPending} data-testid="channel-map-save">
        Save and segment
      </Button>
    </form>
  );
}

/** Asks which channel is which while images wait for it; afterwards one line says what was answered. */
export function ChannelMapPanel({ project }: { project: Project }) {
  const [isOpen, setOpen] = useState(false);
  const waiting = project.counts.needs_channels;
  const isAsked = waiting > 0 || isOpen;
  const waitingImages = useImages(project.id, waiting > 0 ? "needs_channels" : "", "created");
  const names = channelNames(waitingImages.data?.pages.flatMap((page) => page.results) ?? []);
  if (!canEdit(project.role)) return null;
  if (!isAsked) {
    if (!project.channel_map || names.length === 0) return null;
    return (
      <section className={styles.channelLine} aria-label="Channels">
        <span className="grow">{channelMapWords(project.channel_map)}</span>
        <UnstyledButton onClick={() => setOpen(true)}>Change</UnstyledButton>
      </section>
    );
  }
  return (
    <section className={styles.panel} aria-label="Channels" data-testid="channel-map-panel">
      <div className={styles.panelTitle}>
        <h2>
          <IconVectorTriangle size={16} stroke={1.5} aria-hidden />
          Which channel is which?
        </h2>
        {waiting === 0 && (
          <UnstyledButton className="small t2" onClick={() => setOpen(false)}>
            Close
          </UnstyledButton>
        )}
      </div>
      {names.length > 0 ? (
        <ChannelMapForm key={names.join("\n")} project={project} names={names} waiting={waiting} onDone={() => setOpen(false)} />
      ) : (
        <p className="small t2">Reading the channels of the images</p>
      )}
    </section>
  );
}
