import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// Vitest runs without globals, so testing-library cannot register its own clean-up.
afterEach(cleanup);
// A machine that is busy with other tests is slow, not broken.
configure({ asyncUtilTimeout: 10_000 });
