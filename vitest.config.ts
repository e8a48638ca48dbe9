import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  ssr: { resolve: { conditions: ["@openscan/source"] } },
  resolve: { conditions: ["@openscan/source"] },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "apps/*/test/**/*.test.ts",
      "examples/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout: 30_000,
    // Most of the long tests wait for motors and processes: more of them than cores keep the cores busy.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
  },
});
