import { Button, Select, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { type CellClass, classCreate } from "../../api/classes";
import { messageOf } from "../../api/errors";
import table from "../theme/table.module.css";
import { freeKeys, nextColour } from "./choices";
import styles from "./classes.module.css";
import { useClassNews } from "./useClassNews";

interface Props {
  projectId: string;
  classes: readonly CellClass[];
}

const NO_KEY = "none";

/** A new class begins with a colour that no other has and the lowest free digit. */
export function AddClass({ projectId, classes }: Props) {
  const news = useClassNews(projectId);
  const [name, setName] = useState("");
  const [ownColour, setOwnColour] = useState<string | null>(null);
  const [ownKey, setOwnKey] = useState<string | null>(null);
  const free = freeKeys(classes, null);
  const colour = ownColour ?? nextColour(classes);
  const key = ownKey ?? (free[0] === undefined ? NO_KEY : String(free[0]));
  const add = useMutation({
    mutationFn: () => classCreate(projectId, { name: name.trim(), colour, key: key === NO_KEY ? null : Number(key) }),
    onSuccess: () => {
      setName("");
      setOwnColour(null);
      setOwnKey(null);
      news();
    },
  });
  return (
    <form
      className={table.addRow}
      data-testid="class-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) add.mutate();
      }}
    >
      <label className={styles.colour}>
        Colour
        <input type="color" value={colour} onChange={(event) => setOwnColour(event.currentTarget.value)} />
      </label>
      <TextInput
        className="grow"
        label="Name"
        autoComplete="off"
        maxLength={80}
        value={name}
        error={add.isError ? messageOf(add.error) : null}
        onChange={(event) => {
          setName(event.currentTarget.value);
          add.reset();
        }}
      />
      <Select
        label="Key"
        w={92}
        data={[{ value: NO_KEY, label: "None" }, ...free.map((digit) => ({ value: String(digit), label: String(digit) }))]}
        value={key}
        allowDeselect={false}
        onChange={setOwnKey}
      />
      <Button type="submit" size="md" h={32} disabled={name.trim() === ""} loading={add.isPending}>
        Add class
      </Button>
    </form>
  );
}
