import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Campaign from "./campaign.ts"
import * as Sqlite from "./sqlite.ts"

const folder = mkdtempSync(join(tmpdir(), "keos-sinks-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inputs = Campaign.inputsOf(12)
const crashes = 1_000

/** Crashes by the statement around which they were. */
const campaign = Effect.fnUntraced(function*(name: Campaign.SinkName, seed: number) {
  const points = new Map<string, number>()
  const found = yield* Campaign.run({
    crashes,
    seed,
    inputs,
    statements: 40,
    make: (run) =>
      Effect.sync(() => {
        const path = join(folder, `${name}-${run}.sqlite`)
        return {
          connect: (point) =>
            Campaign.sinks[name]({ group: "group" }).pipe(Layer.provide(Sqlite.client(path, point, (database, sql) => {
              const at = `${point!.side} ${Sqlite.kindOf(sql)}`
              points.set(at, (points.get(at) ?? 0) + 1)
              return Sqlite.drop(database)
            }))),
          outputs: Effect.sync(() => Sqlite.outputsOf(path))
        }
      })
  })
  return { found, points }
})

describe(`a sink on SQLite whose connection is dropped at ${crashes} points`, () => {
  for (const [name, [lost, duplicated]] of Object.entries(Campaign.expectations)) {
    it.live(`loses ${lost} and duplicates ${duplicated}: ${name}`, () =>
      Effect.gen(function*() {
        const { found, points } = yield* campaign(name as Campaign.SinkName, 1)

        console.log(`${name}: ${Campaign.describe(found)}`)
        assert.strictEqual(found.crashes, crashes)
        assert.strictEqual(found.lost > 0, lost === "some", `${found.lost} lost`)
        assert.strictEqual(found.duplicated > 0, duplicated === "some", `${found.duplicated} duplicated`)
        assert.isAbove(found.zombies, 50)
        assert.strictEqual(found.refused > 0, name === "transactional" || name === "upsert" || name.endsWith("First"))
        for (const statement of ["BEGIN", "INSERT \"outputs\"", "INSERT \"outputs_offsets\"", "COMMIT"]) {
          for (const side of ["before", "after"]) {
            assert.isAbove(points.get(`${side} ${statement}`) ?? 0, 10, `${side} ${statement}`)
          }
        }
      }), 300_000)
  }
})
