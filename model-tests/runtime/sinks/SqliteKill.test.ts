import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Campaign from "./campaign.ts"
import type { Life } from "./member.ts"
import * as Sqlite from "./sqlite.ts"

const folder = mkdtempSync(join(tmpdir(), "keos-sinks-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inputs = Campaign.inputsOf(12)

/** One life in a process; whether it was killed. */
const live = (life: Life): boolean => {
  const { error, signal, status, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "member.ts"), JSON.stringify(life)],
    { encoding: "utf8" }
  )
  if (error !== undefined) throw error
  if (signal === "SIGKILL") return true
  assert.strictEqual(status, 0, stderr)
  return false
}

/** Processes on one file after the other, until so many were killed and every file has all inputs. */
const campaign = (name: Campaign.SinkName, kills: number, seed: number) => {
  const draw = Campaign.numbers(seed)
  const found = { kills: 0, lost: 0, duplicated: 0 }
  for (let run = 0; found.kills < kills; run++) {
    const path = join(folder, `${name}-${run}.sqlite`)
    for (let generation = 1, killed = true; killed; generation++) {
      const side = draw(2) === 0 ? "before" : "after"
      const point: Campaign.Point | undefined = found.kills < kills ? { statement: 4 + draw(36), side } : undefined
      killed = live({
        path,
        name,
        generation,
        inputs: inputs.length,
        seed: draw(1_000_000),
        ...(point === undefined ? {} : { point })
      })
      if (killed) found.kills++
    }
    const { duplicated, lost } = Campaign.countOf(inputs, Sqlite.outputsOf(path))
    found.lost += lost
    found.duplicated += duplicated
  }
  return found
}

describe("a sink on SQLite whose process is killed", () => {
  const kills: Readonly<Partial<Record<Campaign.SinkName, number>>> = {
    transactional: 24,
    upsert: 12,
    outputFirst: 8,
    offsetFirst: 8
  }
  for (const [name, count] of Object.entries(kills)) {
    const [lost, duplicated] = Campaign.expectations[name as Campaign.SinkName]

    it(`${count} times loses ${lost} and duplicates ${duplicated}: ${name}`, { timeout: 300_000 }, () => {
      const found = campaign(name as Campaign.SinkName, count, 7)

      console.log(`${name}: ${found.kills} killed, ${found.lost} lost, ${found.duplicated} duplicated`)
      assert.strictEqual(found.kills, count)
      assert.strictEqual(found.lost > 0, lost === "some", `${found.lost} lost`)
      assert.strictEqual(found.duplicated > 0, duplicated === "some", `${found.duplicated} duplicated`)
    })
  }
})
