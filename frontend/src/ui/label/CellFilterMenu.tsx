import { ActionIcon, Popover, Select, Switch, UnstyledButton } from "@mantine/core";
import { IconFilter } from "@tabler/icons-react";

import { type CellFilter, filterCount, NO_FILTER } from "./cellOrder";
import styles from "./cells.module.css";

interface Props {
  filter: CellFilter;
  classes: readonly { readonly id: string; readonly name: string }[];
  onFilter: (filter: CellFilter) => void;
}

const ANY = "any";
/** A class of "" stands for cells without one; a select cannot hold that value. */
const NONE = "none";

const SOURCES = [
  { value: ANY, label: "Anyone" },
  { value: "model", label: "The model" },
  { value: "person", label: "A person" },
];

/** Which cells the list shows. The button is lit while a filter is on. */
export function CellFilterMenu({ filter, classes, onFilter }: Props) {
  const on = filterCount(filter);
  const classData = [{ value: ANY, label: "Any" }, { value: NONE, label: "Without a class" }, ...classes.map(({ id, name }) => ({ value: id, label: name }))];
  const classValue = filter.classId === null ? ANY : filter.classId === "" ? NONE : filter.classId;
  return (
    <Popover position="bottom-end" width={216} trapFocus>
      <Popover.Target>
        <ActionIcon aria-label={on === 0 ? "Filter cells" : `Filter cells, ${on} on`} data-testid="cell-filter" className={styles.filter} data-on={on > 0}>
          <IconFilter size={16} stroke={1.5} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown className={styles.filters}>
        <Select
          label="Drawn by"
          data={SOURCES}
          value={filter.source ?? ANY}
          allowDeselect={false}
          comboboxProps={{ withinPortal: false }}
          onChange={(value) => onFilter({ ...filter, source: value === "model" || value === "person" ? value : null })}
        />
        <Select
          label="Class"
          data={classData}
          value={classValue}
          allowDeselect={false}
          comboboxProps={{ withinPortal: false }}
          onChange={(value) => onFilter({ ...filter, classId: value === ANY ? null : value === NONE ? "" : value })}
        />
        <Switch label="Only cells to check" checked={filter.toCheck} onChange={(event) => onFilter({ ...filter, toCheck: event.currentTarget.checked })} />
        <UnstyledButton disabled={on === 0} onClick={() => onFilter({ ...NO_FILTER, find: filter.find })}>
          Show all cells
        </UnstyledButton>
      </Popover.Dropdown>
    </Popover>
  );
}
