import type { Access } from "./access";
import type { SaveState } from "./autosave";

/** What has become of a person's changes, for the status bar. */
export interface Saved {
  readonly kind: "saved" | "waiting" | "offline" | "conflict" | "taken_over" | "signed_out" | "refused" | "reload" | "view";
  readonly waiting: number;
  /** All that waits lies in this browser's own storage: closing the tab loses nothing. */
  readonly kept: boolean;
  readonly words: string;
}

const changes = (count: number, one: string, many: string): string => (count === 1 ? `1 change ${one}` : `${count} changes ${many}`);

function kindOf({ waiting, problem }: SaveState, conflicts: number, access: Access): Saved["kind"] {
  if (problem === "reload") return "reload";
  if (waiting > 0 && access.kind !== "mine") return "taken_over";
  if (waiting > 0 && problem === "offline") return "offline";
  if (waiting > 0 && problem === "signed_out") return "signed_out";
  if (waiting > 0) return problem === "refused" ? "refused" : "waiting";
  if (conflicts > 0) return "conflict";
  return access.kind === "mine" ? "saved" : "view";
}

function wordsFor(kind: Saved["kind"], waiting: number, conflicts: number, access: Access): string {
  switch (kind) {
    case "saved":
      return "All changes saved";
    case "waiting":
      return waiting === 1 ? "Saving 1 change" : `Saving ${waiting} changes`;
    case "offline":
      return `Offline, ${changes(waiting, "waits", "wait")}`;
    case "signed_out":
      return `Signed out, ${changes(waiting, "waits", "wait")}`;
    case "refused":
      return `Not accepted, ${changes(waiting, "waits", "wait")}`;
    case "taken_over":
      return `${access.holder ? `${access.holder.name} took over` : "Not editing"}, ${changes(waiting, "not sent", "not sent")}`;
    case "conflict":
      return changes(conflicts, "to decide on", "to decide on");
    case "reload":
      return "Out of step. Reload the page";
    case "view":
      return "View only";
  }
}

/** `conflicts`: how many versions of ours wait for a decision. */
export function savedOf(state: SaveState, conflicts: number, access: Access): Saved {
  const kind = kindOf(state, conflicts, access);
  const { waiting, kept } = state;
  return { kind, waiting, kept, words: wordsFor(kind, waiting, conflicts, access) };
}
