import type { Conflict } from "../../session/conflicts";
import { counted } from "../format";

type Kept = Pick<Conflict, "patch">;

/** Ours is not in the picture: it waits for a decision. Otherwise both versions are there, and people need only know. */
export const isKeptAside = ({ patch }: Kept): boolean => patch !== null;

/** What the page says of changes that met others', or were not taken. */
export function conflictWords(conflicts: readonly Kept[]): string {
  const aside = conflicts.filter(isKeptAside).length;
  const both = conflicts.length - aside;
  const yours = (count: number): string => counted(count, "change of yours", "changes of yours");
  if (aside === 0) return both === 0 ? "" : `${yours(both)} met someone else's: both versions are in the picture.`;
  if (both === 0) return `${yours(aside)} ${aside === 1 ? "is" : "are"} kept aside and not in the picture.`;
  return `${yours(both)} met someone else's and both versions are in the picture; ${aside} ${aside === 1 ? "is" : "are"} kept aside.`;
}
