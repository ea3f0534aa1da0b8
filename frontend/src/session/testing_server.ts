/** A server at the other end of the socket: it keeps one image's edits as the real one does. Only `fetch` is replaced. */
import { vi } from "vitest";

import { type Cell, type Patch, applyPatch } from "../document/patch";
import { readPatch } from "../document/wire";

interface ServedEdit {
  id: string;
  revision: number;
  patch: Patch;
}

export interface FakeServer {
  cells: Map<string, Cell>;
  readonly edits: ServedEdit[];
  readonly posts: string[];
  /** "down": no connection. "deaf": the edit is stored, but the answer is lost. A number: that status. */
  mode: "up" | "down" | "deaf" | number;
  /** The tab that holds the lease; null: nobody does. */
  holder: string | null;
  /** An edit of somebody else. */
  change(patch: Patch): void;
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

export function serve(cells: readonly Cell[]): FakeServer {
  const server: FakeServer = {
    cells: new Map(cells.map((cell) => [cell.id, cell])),
    edits: [],
    posts: [],
    mode: "up",
    holder: null,
    change(patch) {
      server.cells = applyPatch(server.cells, patch);
      server.edits.push({ id: crypto.randomUUID(), revision: server.edits.length + 1, patch });
    },
  };
  const editsAfter = (revision: number) => server.edits.filter((edit) => edit.revision > revision);
  const store = (body: { id: string; base_revision: number; session: string; patch: unknown }): Response => {
    const known = server.edits.find((edit) => edit.id === body.id);
    if (known) return json(200, { id: known.id, revision: known.revision });
    if (server.holder !== null && server.holder !== body.session) return json(409, { code: "lease_lost", detail: "Bob is editing this image.", holder: null });
    if (body.base_revision !== server.edits.length) {
      const edits = editsAfter(body.base_revision);
      return json(409, { code: "stale_revision", detail: "stale", revision: server.edits.length, edits, more: false });
    }
    server.change(readPatch(body.patch));
    const edit = server.edits[server.edits.length - 1];
    edit.id = body.id;
    return json(200, { id: edit.id, revision: edit.revision });
  };
  const answer = async (request: Request): Promise<Response> => {
    if (server.mode === "down") throw new TypeError("fetch failed");
    if (typeof server.mode === "number") return json(server.mode, { code: "refused", detail: "The server says no." });
    const url = new URL(request.url);
    if (request.method === "GET") {
      const after = Number(url.searchParams.get("after"));
      return json(200, { edits: editsAfter(after), revision: server.edits.length });
    }
    const body = (await request.json()) as Parameters<typeof store>[0];
    server.posts.push(body.id);
    const stored = store(body);
    if (server.mode === "deaf") throw new TypeError("connection lost");
    return stored;
  };
  vi.stubGlobal("fetch", (request: Request) => answer(request));
  return server;
}
