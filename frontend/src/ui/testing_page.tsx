/** Renders a piece of a page as the app would, with the network replaced by a list of answers. */
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";

import { createQueryClient } from "./queries";
import { cssVariables, theme } from "./theme/mantine";
import { UploadQueues } from "./upload/UploadQueues";

export { type Sent, stubServer } from "../session/testing_answers";

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
