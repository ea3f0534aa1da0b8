/** A server at the other end of the socket that gives listed answers. Only `fetch` is replaced. */
import { vi } from "vitest";

export interface Sent {
  method: string;
  path: string;
  body: unknown;
}

type Answer = [status: number, body: unknown];
type Answers = Record<string, (sent: Sent) => Answer | Promise<Answer>>;

/** Only the socket is faked. Keys are "METHOD /path"; what is asked for and not listed is a 404. */
export function stubServer(answers: Answers): Sent[] {
  const log: Sent[] = [];
  vi.stubGlobal("fetch", async (asked: Request | string, init?: RequestInit) => {
    const request = typeof asked === "string" ? new Request(new URL(asked, window.location.origin), init) : asked;
    const text = await request.text();
    const sent = { method: request.method, path: new URL(request.url).pathname, body: text ? (JSON.parse(text) as unknown) : null };
    log.push(sent);
    const answer = answers[`${sent.method} ${sent.path}`];
    const [status, body] = answer ? await answer(sent) : [404, { code: "not_found", detail: "This was not found." }];
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  });
  return log;
}
