import type { Tab } from "../api/presence";
import type { LeaseState } from "./lease";

/** Whether cells may be changed here and now, and if not, who does. */
export interface Access {
  readonly kind: "mine" | "theirs" | "viewer" | "asking";
  readonly holder: Tab | null;
  /** It was ours until somebody took it over. */
  readonly lost: boolean;
}

export function accessOf(lease: LeaseState, viewer: boolean): Access {
  if (viewer) return { kind: "viewer", holder: lease.holder, lost: false };
  if (lease.mine) return { kind: "mine", holder: lease.holder, lost: false };
  return { kind: lease.holder ? "theirs" : "asking", holder: lease.holder, lost: lease.lost };
}

/** Why nothing can be changed, in a sentence; null if it can. */
export function readOnlyWords({ kind, holder, lost }: Access, userId: number): string | null {
  if (kind === "mine") return null;
  if (kind === "viewer") return "You can look at this project, not change it.";
  if (!holder) return "Asking the server whether this image is free.";
  if (holder.id === userId) return lost ? "You took this image over in another tab." : "You are editing this image in another tab. This page follows.";
  return lost ? `${holder.name} took over this image. This page follows.` : `${holder.name} is editing this image. This page follows.`;
}
