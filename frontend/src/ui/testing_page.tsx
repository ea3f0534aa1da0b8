/** Renders a piece of a page as the app would, with the network replaced by a list of answers. */
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";

import { createQueryClient } from "./queries";
import { cssVariables, theme } from "./theme/mantine";
import { UploadQueues } from "./upload/UploadQueues";

export interface Sent {
  method: string;
  path: string;
  body: unknown;
}

type Answers = Record<string, (sent: Sent) => [status: number, body: unknown]>;

/** Only the socket is faked. Keys are "METHOD /path"; what is asked for and not listed is a 404. */
export function stubServer(answers: Answers): Sent[] {
  const log: Sent[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const text = await request.text();
    const sent = { method: request.method, path: new URL(request.url).pathname, body: text ? (JSON.parse(text) as unknown) : null };
    log.push(sent);
    const answer = answers[`${sent.method} ${sent.path}`];
    const [status, body] = answer ? answer(sent) : [404, { code: "not_found", detail: "This was not found." }];
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  });
  return log;
}

export function renderPage(page: ReactNode, path = "/") {
  const [pathname, searchPath = ""] = path.split("?");
  const location = memoryLocation({ path: pathname, searchPath, record: true });
  const screen = render(
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} forceColorScheme="dark" env="test">
      <QueryClientProvider client={createQueryClient()}>
        <UploadQueues>
          <Router hook={location.hook} searchHook={location.searchHook}>
            {page}
          </Router>
        </UploadQueues>
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...screen, history: location.history };
}
