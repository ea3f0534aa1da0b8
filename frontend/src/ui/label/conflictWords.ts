import type { Conflict } from "../../session/conflicts";
import { counted } from "../format";

type Kept = Pick<Conflict, "patch">;

/** Ours is not in the picture: it waits for a decision. Otherwise both versions are there, and people need only know. */
export const isKeptAside = ({ patch }: Kept): boolean => patch !== null;

/** What the page says of changes that met others', or were not taken. */
export function conflictWords(conflicts: readonly Kept[]): string {
  const aside = conflicts.filter(isKeptAside).length;
  const both = conflicts.length - aside;
  const keptAside = `${counted(aside, "change of yours is", "changes of yours are")} kept aside and not in the picture.`;
  const inPicture = `${counted(both, "change of yours", "changes of yours")} met someone else's: both versions are in the picture.`;
  return [both > 0 && inPicture, aside > 0 && keptAside].filter(Boolean).join(" ");
}
