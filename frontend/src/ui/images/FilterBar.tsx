import { Select } from "@mantine/core";

import type { ImageOrder } from "../../api/images";
import type { ProjectCounts } from "../../api/types";
import { whole } from "../format";
import { ORDERS, shownFilters } from "./filters";
import styles from "./images.module.css";

interface Props {
  counts: ProjectCounts;
  filter: string;
  order: ImageOrder;
  onFilter: (key: string) => void;
  onOrder: (order: ImageOrder) => void;
}

export function FilterBar({ counts, filter, order, onFilter, onOrder }: Props) {
  return (
    <div className={styles.bar}>
      <div className={styles.filters} role="group" aria-label="Show images by state">
        {shownFilters(counts, filter).map(({ key, name, count, isTrouble }) => (
          <button
            key={key}
            type="button"
            className={styles.filter}
            aria-pressed={key === filter}
            data-testid={`filter-${key}`}
            data-trouble={isTrouble ? key : undefined}
            onClick={() => onFilter(key)}
          >
            {name} <em>{whole(count(counts))}</em>
          </button>
        ))}
      </div>
      <Select
        className={styles.order}
        aria-label="Order of the images"
        data={[...ORDERS]}
        value={order}
        allowDeselect={false}
        onChange={(value) => value && onOrder(value)}
        classNames={{ input: styles.orderInput }}
      />
    </div>
  );
}
