import { ActionIcon, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconArchiveOff, IconArrowDown, IconArrowUp, IconTrash } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { type CellClass, classDelete, classOrder, classUpdate } from "../../api/classes";
import type { Project } from "../../api/types";
import { counted, whole } from "../format";
import { canManage } from "../people/roles";
import { Confirm } from "../states/Confirm";
import { complain, note, say } from "../states/messages";
import table from "../theme/table.module.css";
import { freeKeys, moved } from "./choices";
import styles from "./classes.module.css";
import { useClassNews } from "./useClassNews";

interface Props {
  project: Project;
  classes: readonly CellClass[];
  index: number;
  cells: number;
}

const NO_KEY = "none";
/** A colour picker tells every colour on the way: the one where it rests is meant. */
const REST_MS = 500;

/** Everything that can be done to a class, each at once: there is no form to save. */
function useClassActs(projectId: string, cellClass: CellClass, classes: readonly CellClass[]) {
  const news = useClassNews(projectId);
  const update = useMutation({
    mutationFn: (change: Partial<Omit<CellClass, "id">>) => classUpdate(cellClass.id, change),
    onSettled: news,
    onError: (error) => complain(`${cellClass.name} was not changed`, error),
  });
  const remove = useMutation({
    mutationFn: () => classDelete(cellClass.id),
    onSettled: news,
    onSuccess: ({ deleted }) => (deleted ? say(`${cellClass.name} deleted`) : note(`${cellClass.name} is archived: cells have it, or had it. It is not offered any more.`)),
    onError: (error) => complain(`${cellClass.name} was not deleted`, error),
  });
  const order = useMutation({
    mutationFn: (step: 1 | -1) => classOrder(projectId, moved(classes, cellClass.id, step)),
    onSettled: news,
    onError: (error) => complain("The order was not changed", error),
  });
  return { update, remove, order };
}

function Name({ cellClass, onName }: { cellClass: CellClass; onName: (name: string) => void }) {
  const [name, setName] = useState(cellClass.name);
  const leave = (): void => {
    const next = name.trim();
    if (next === "" || next === cellClass.name) setName(cellClass.name);
    else onName(next);
  };
  return (
    <TextInput
      aria-label={`Name of ${cellClass.name}`}
      maxLength={80}
      value={name}
      onChange={(event) => setName(event.currentTarget.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") setName(cellClass.name);
      }}
    />
  );
}

function Fixed({ cellClass, cells }: { cellClass: CellClass; cells: number }) {
  return (
    <>
      <td>
        <span className={styles.swatch} style={{ background: cellClass.colour }} aria-hidden />
      </td>
      <td>
        {cellClass.name} {cellClass.archived && <span className="t2">archived</span>}
      </td>
      <td>{cellClass.key === null ? <span className="t2">none</span> : <kbd>{cellClass.key}</kbd>}</td>
      <td className={table.number}>{whole(cells)}</td>
    </>
  );
}

export function ClassRow({ project, classes, index, cells }: Props) {
  const cellClass = classes[index];
  const { id, name, colour, key, archived } = cellClass;
  const { update, remove, order } = useClassActs(project.id, cellClass, classes);
  const [asking, setAsking] = useState(false);
  const setColour = useDebouncedCallback((next: string) => update.mutate({ colour: next }), REST_MS);
  if (!canManage(project.role) || archived) {
    return (
      <tr data-testid="class" data-name={name} data-archived={archived}>
        <Fixed cellClass={cellClass} cells={cells} />
        <td className={table.end}>
          {archived && canManage(project.role) && (
            <ActionIcon aria-label={`Offer ${name} again`} title="Offer it again" onClick={() => update.mutate({ archived: false })}>
              <IconArchiveOff size={16} stroke={1.5} />
            </ActionIcon>
          )}
        </td>
      </tr>
    );
  }
  const keyData = [{ value: NO_KEY, label: "None" }, ...freeKeys(classes, id).map((digit) => ({ value: String(digit), label: String(digit) }))];
  return (
    <tr data-testid="class" data-name={name} data-archived={false}>
      <td>
        <input
          type="color"
          className={styles.swatch}
          aria-label={`Colour of ${name}`}
          defaultValue={colour}
          key={colour}
          onChange={(event) => setColour(event.currentTarget.value)}
        />
      </td>
      <td>
        <Name key={name} cellClass={cellClass} onName={(next) => update.mutate({ name: next })} />
      </td>
      <td>
        <Select
          aria-label={`Key of ${name}`}
          w={92}
          data={keyData}
          value={key === null ? NO_KEY : String(key)}
          allowDeselect={false}
          onChange={(value) => update.mutate({ key: value === NO_KEY || value === null ? null : Number(value) })}
        />
      </td>
      <td className={table.number} data-testid="class-cells">
        {whole(cells)}
      </td>
      <td className={table.end}>
        <ActionIcon aria-label={`Move ${name} up`} disabled={index === 0} onClick={() => order.mutate(-1)}>
          <IconArrowUp size={16} stroke={1.5} />
        </ActionIcon>
        <ActionIcon aria-label={`Move ${name} down`} disabled={index === classes.length - 1} onClick={() => order.mutate(1)}>
          <IconArrowDown size={16} stroke={1.5} />
        </ActionIcon>
        <ActionIcon aria-label={`Delete ${name}`} onClick={() => setAsking(true)}>
          <IconTrash size={16} stroke={1.5} />
        </ActionIcon>
        <Confirm
          opened={asking}
          title={`Delete ${name}?`}
          detail={cells > 0 ? `${counted(cells, "cell has", "cells have")} this class and will keep it: the class is archived and not offered any more.` : "No cell has this class."}
          act={cells > 0 ? "Archive class" : "Delete class"}
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate()}
        />
      </td>
    </tr>
  );
}
