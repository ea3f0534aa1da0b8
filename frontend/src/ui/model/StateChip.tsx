import { IconBox, IconCheck, IconClock, IconHelpCircle, IconRefresh, IconUpload, IconX } from "@tabler/icons-react";

import styles from "./model.module.css";
import { STATE_WORDS, type ShownState } from "./wording";

const ICONS: Record<ShownState, typeof IconClock> = {
  active: IconCheck,
  pending: IconRefresh,
  earlier: IconClock,
  base: IconBox,
  imported: IconUpload,
  promoted: IconCheck,
  candidate: IconClock,
  rejected: IconX,
  not_enough_evidence: IconHelpCircle,
  failed: IconX,
  training: IconRefresh,
};

export function StateChip({ state, extra = "" }: { state: ShownState; extra?: string }) {
  const Icon = ICONS[state];
  return (
    <span className={styles.chip} data-state={state}>
      <Icon size={14} stroke={1.8} aria-hidden />
      {STATE_WORDS[state]}
      {extra && ` ${extra}`}
    </span>
  );
}
