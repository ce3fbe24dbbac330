import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["model-tests/**/*.test.ts"],
    setupFiles: ["model-tests/setup.ts"],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    passWithNoTests: false
  }
})
