import { Select } from "@mantine/core";

import { COLOR_BY, type ColorBy } from "../../render/cellTones";
import type { ImageSession } from "../../session/imageSession";
import styles from "./classes.module.css";
import { useValue } from "./useValue";

const NAMES: Readonly<Record<ColorBy, string>> = { id: "Cell", class: "Class", source: "Who drew it", score: "Score", edited: "Edited or not" };

const CHOICES = COLOR_BY.map((value) => ({ value, label: NAMES[value] }));

const isColourBy = (value: string | null): value is ColorBy => COLOR_BY.some((by) => by === value);

export function ColourBySelect({ session }: { session: ImageSession }) {
  const { colourBy } = useValue(session.seeing);
  return (
    <div className={styles.by}>
      <span id="colour-by">Colour cells by</span>
      <Select
        aria-labelledby="colour-by"
        data-testid="colour-by"
        w={132}
        data={CHOICES}
        value={colourBy}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false, position: "bottom-end" }}
        onChange={(value) => isColourBy(value) && session.setSeeing({ colourBy: value })}
      />
    </div>
  );
}
