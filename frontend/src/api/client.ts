/** The one HTTP client: same-origin session cookie, CSRF on writes, errors as ApiError or OfflineError. */
import createClient, { type Middleware } from "openapi-fetch";

import { apiErrorFrom, OfflineError } from "./errors";
import type { paths } from "./schema";

let csrfToken = "";

/** The server hands out a fresh token with every session answer; login rotates it. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** The cookie is newer than what this tab remembers when someone has logged in again in another tab. */
function csrfCookie(): string | undefined {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1];
}

/** For requests that openapi-fetch cannot make (uploads with progress, keepalive posts). */
export function writeHeaders(): Record<string, string> {
  const token = csrfCookie() ?? csrfToken;
  return token ? { "X-CSRFToken": token } : {};
}

const csrf: Middleware = {
  onRequest({ request }) {
    if (request.method === "GET" || request.method === "HEAD") return;
    for (const [name, value] of Object.entries(writeHeaders())) request.headers.set(name, value);
  },
};

async function sameOriginFetch(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new OfflineError();
  }
}

export const client = createClient<paths>({
  baseUrl: typeof window === "undefined" ? "" : window.location.origin,
  credentials: "same-origin",
  fetch: sameOriginFetch,
});
client.use(csrf);

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Turns openapi-fetch's {data | error} into a value or a thrown ApiError. */
export async function unwrap<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await outcome;
  if (!response.ok) throw apiErrorFrom(response.status, error, response.headers.get("Retry-After"));
  return data as T;
}
