import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";

import { createQueryClient } from "./queries";
import { Routes } from "./Routes";
import { Boundary } from "./states/Boundary";
import { cssVariables, theme } from "./theme/mantine";
import { UploadQueues } from "./upload/UploadQueues";

export function App() {
  const [queryClient] = useState(createQueryClient);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} forceColorScheme="dark">
      <Notifications position="bottom-right" limit={4} />
      <QueryClientProvider client={queryClient}>
        <UploadQueues>
          <Boundary>
            <Routes />
          </Boundary>
        </UploadQueues>
      </QueryClientProvider>
    </MantineProvider>
  );
}
