/**
 * Properties are asked with the same values every time, so that whoever runs the tests sees what the last one saw; another
 * seed asks them with others.
 *
 *     SEED=7 npx vitest run model-tests/wire
 */
import * as fc from "fast-check"
import { join } from "node:path"

// Processes that tests start need not compile again what those before them have.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "../node_modules/.cache/node-compile-cache")

fc.configureGlobal({ seed: Number(process.env["SEED"] ?? 1) })
