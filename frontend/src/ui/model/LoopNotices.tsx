import { IconEyeOff, IconRefresh } from "@tabler/icons-react";

import type { ProjectModel } from "../../api/types";
import { whole } from "../format";
import { Bar } from "./Bar";
import styles from "./model.module.css";

/** What people would wonder about otherwise: a version that is on its way, and outlines that do not show. */
export function LoopNotices({ model: { pending, active, presegmentation } }: { model: ProjectModel }) {
  return (
    <>
      {pending && (
        <section className={styles.notice} role="status" data-testid="pending-version">
          <IconRefresh size={18} stroke={1.5} aria-hidden />
          <div>
            <h2>{pending.version.name} is getting ready</h2>
            <p>
              It has a trunk of its own, so the features of images at work are computed first: {whole(pending.done)} of {whole(pending.total)}. {active ? `${active.name} labels until then.` : ""}
            </p>
          </div>
          <Bar value={pending.done / Math.max(1, pending.total)} label={`Features for ${pending.version.name}`} />
        </section>
      )}
      {presegmentation.reason && (
        <section className={styles.notice} role="status" data-testid={presegmentation.shown ? "presegmentation-partly" : "presegmentation-hidden"}>
          <IconEyeOff size={18} stroke={1.5} aria-hidden />
          <div>
            <h2>{presegmentation.shown ? "Images open without faint outlines" : "Images open without outlines"}</h2>
            <p>{presegmentation.reason}</p>
          </div>
        </section>
      )}
    </>
  );
}
