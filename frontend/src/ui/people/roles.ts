import type { Role } from "../../api/types";

/** What each role may do, most first. The server decides; the page only hides what it would refuse. */
export const ROLES: readonly { value: Role; name: string; may: string }[] = [
  { value: "owner", name: "Owner", may: "Everything" },
  { value: "admin", name: "Admin", may: "Manages people, channels and models" },
  { value: "annotator", name: "Annotator", may: "Uploads and labels images" },
  { value: "viewer", name: "Viewer", may: "Looks and exports" },
];

export function canManage(role: Role): boolean {
  return role === "owner" || role === "admin";
}

export function canEdit(role: Role): boolean {
  return role !== "viewer";
}
