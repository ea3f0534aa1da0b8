import { afterEach, expect, test, vi } from "vitest";

import { client, setCsrfToken, unwrap } from "./client";
import { ApiError, OfflineError } from "./errors";

function stub(answer: (request: Request) => Response): Request[] {
  const seen: Request[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    seen.push(request);
    return Promise.resolve(answer(request));
  });
  return seen;
}

const json = (status: number, body: unknown, headers = {}) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

afterEach(() => {
  document.cookie = "csrftoken=; expires=Thu, 01 Jan 1970 00:00:00 GMT";
  vi.unstubAllGlobals();
});

test("it sends the token with what writes and not with what reads", async () => {
  setCsrfToken("from-session");
  const seen = stub(() => json(200, []));
  await client.GET("/api/projects");
  await client.POST("/api/projects", { body: { name: "A" } });
  expect(seen.map((request) => request.headers.get("X-CSRFToken"))).toEqual([null, "from-session"]);
});

test("it prefers the cookie that another tab may have renewed", async () => {
  setCsrfToken("old");
  document.cookie = "csrftoken=renewed";
  const seen = stub(() => json(201, {}));
  await client.POST("/api/projects", { body: { name: "A" } });
  expect(seen[0].headers.get("X-CSRFToken")).toBe("renewed");
});

test("it throws the server's error with the time to wait", async () => {
  stub(() => json(503, { code: "model_busy", detail: "The model is busy." }, { "Retry-After": "2" }));
  const error = await unwrap(client.GET("/api/projects")).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 503, code: "model_busy", message: "The model is busy.", retryAfter: 2 });
});

test("it tells a server that cannot be reached from one that refuses", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(unwrap(client.GET("/api/projects"))).rejects.toBeInstanceOf(OfflineError);
});
