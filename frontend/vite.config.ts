import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.CELLLOOP_SERVER ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/api": server, "/admin": server, "/static": server } },
  build: {
    target: "es2022",
    sourcemap: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler|@tanstack)\// },
            { name: "mantine", test: /node_modules\/(@mantine|@floating-ui)\// },
          ],
        },
      },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test_setup.ts"],
    restoreMocks: true,
    // Two workers: the suite shares its machine with PostgreSQL, Celery and a browser.
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
