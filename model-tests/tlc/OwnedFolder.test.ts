import { assert, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import * as OwnedFolder from "../../src/tlc/OwnedFolder.ts"

it("a sweep removes the folders of dead owners and no others", () => {
  const base = mkdtempSync(join(tmpdir(), "keos-test-"))
  const make = (name: string, owner: string | undefined) => {
    mkdirSync(join(base, name))
    if (owner !== undefined) writeFileSync(join(base, name, "owner"), owner)
  }
  make("keos-tlc-dead", `${hostname()}\n${2 ** 22 + 1}\n`)
  make("keos-tlc-mine", `${hostname()}\n${process.pid}\n`)
  make("keos-tlc-elsewhere", `another-host\n${2 ** 22 + 1}\n`)
  make("keos-tlc-new", undefined)
  make("unrelated", undefined)

  OwnedFolder.sweep(base, "keos-tlc-")

  assert.deepStrictEqual(readdirSync(base).sort(), ["keos-tlc-elsewhere", "keos-tlc-mine", "keos-tlc-new", "unrelated"])
  rmSync(base, { recursive: true })
})
