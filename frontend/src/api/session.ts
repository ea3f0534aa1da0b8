import { client, setCsrfToken, unwrap } from "./client";
import type { Session } from "./types";

function remember(session: Session): Session {
  setCsrfToken(session.csrf);
  return session;
}

export async function sessionGet(): Promise<Session> {
  return remember(await unwrap(client.GET("/api/session")));
}

export async function sessionOpen(username: string, password: string): Promise<Session> {
  return remember(await unwrap(client.POST("/api/session", { body: { username, password } })));
}

export async function sessionClose(): Promise<void> {
  await unwrap(client.DELETE("/api/session"));
}
