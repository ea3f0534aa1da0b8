import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useLocation, useSearchParams } from "wouter";

import { sessionClose, sessionGet, sessionOpen } from "../../api/session";
import type { User } from "../../api/types";
import { keys } from "../queries";

export function useSession() {
  return useQuery({ queryKey: keys.session, queryFn: sessionGet, staleTime: 5 * 60_000 });
}

/** The signed-in user. Only for pages inside RequireSession, which draws nothing before there is one. */
export function useUser(): User {
  const { data } = useSession();
  if (!data?.user) throw new Error("useUser outside of RequireSession");
  return data.user;
}

/** Where to go after login: a path of this site, never another host. */
export function nextPath(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}

export function useLogin() {
  const queryClient = useQueryClient();
  const [, navigate] = useLocation();
  const [search] = useSearchParams();
  const { data } = useSession();
  const target = nextPath(search.get("next"));

  const isIn = Boolean(data?.user);
  useEffect(() => {
    if (isIn) navigate(target, { replace: true });
  }, [isIn, navigate, target]);

  return useMutation({
    mutationFn: ({ username, password }: { username: string; password: string }) => sessionOpen(username, password),
    onSuccess: (session) => queryClient.setQueryData(keys.session, session),
  });
}

export function useLogout() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: sessionClose,
    // A new page load drops every answer that belonged to the user who left.
    onSuccess: () => {
      queryClient.clear();
      window.location.assign("/login");
    },
  });
}
