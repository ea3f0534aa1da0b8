import type { ReactNode } from "react";
import { Redirect, useLocation } from "wouter";

import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { useSession } from "./useSession";

export function RequireSession({ children }: { children: ReactNode }) {
  const session = useSession();
  const [path] = useLocation();
  if (session.isPending) return <Loading what="CellLoop" />;
  // Who is known stays known while asking again fails: what they work on must not be taken from the page.
  if (session.data === undefined) return <Failure error={session.error} what="CellLoop" retry={() => void session.refetch()} />;
  if (session.data.user === null) return <Redirect to={path === "/" ? "/login" : `/login?next=${encodeURIComponent(path)}`} replace />;
  return children;
}
