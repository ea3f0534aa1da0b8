import { Link } from "wouter";

import { Notice } from "./Notice";

export function NotFound() {
  return (
    <Notice title="There is nothing here" detail="The address is wrong, it was deleted, or it belongs to a project that you are not a member of.">
      <Link href="/">All projects</Link>
    </Notice>
  );
}
