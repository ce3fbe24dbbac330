/**
 * Builds what the package ships: the command line and its worker with what they share, one file per public subpath, and
 * types.
 */
import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { rmSync } from "node:fs"

const rooms = ["core", "model", "tlc", "wire", "runtime", "conformance"]

rmSync("dist", { recursive: true, force: true })
const common = { bundle: true, platform: "node", format: "esm", target: "node22", logLevel: "warning" } as const
// Dependencies that are CommonJS inside call `require`, which an ES module does not have.
const prelude = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
// Machine code cannot be bundled.
const external = ["snappy", "lz4-napi"]
const executable = { ...common, external, banner: { js: `#!/usr/bin/env node\n${prelude}` } }
await build({
  ...executable,
  splitting: true,
  entryPoints: { keos: "src/cli/main.ts", worker: "src/conformance/WorkerMain.ts" },
  outdir: "dist"
})
await build({
  ...common,
  packages: "external",
  entryPoints: Object.fromEntries(rooms.map((room) => [room, `src/${room}/index.ts`])),
  outdir: "dist"
})
execFileSync("tsc", ["-p", "tsconfig.types.json"], { stdio: "inherit" })
