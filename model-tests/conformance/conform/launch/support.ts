/** What the tests with a real broker share. */
import { describe } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Jars from "../../../../src/conformance/conform/launch/Jars.ts"
import * as Programs from "../../../../src/conformance/conform/launch/Programs.ts"

export const release = "4.4.0"

const available = await Effect.runPromise(Effect.result(Effect.andThen(
  Programs.java(17, process.env),
  Jars.fetch(release, { environment: process.env, offline: false, onProgress: () => {} })
)))

/** `describe` for tests that start a broker. Where Java, Maven or the release cannot be had, it says so and skips them. */
export const describeBroker = (name: string, body: () => void): void => {
  if (Result.isSuccess(available)) describe(name, body)
  else describe.skip(`${name} (skipped: ${available.failure.message})`, body)
}

/** Folders of brokers that this process has not removed. */
export const leftFolders = (): ReadonlyArray<string> =>
  readdirSync(tmpdir()).filter((name) => {
    if (!name.startsWith("keos-kafka-")) return false
    try {
      return readFileSync(join(tmpdir(), name, "owner"), "utf8").split("\n")[1] === String(process.pid)
    } catch {
      return false
    }
  })
