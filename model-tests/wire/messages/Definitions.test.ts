import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Definitions from "./Definitions.ts"
import * as Jar from "./Jar.ts"

const tables = join(import.meta.dirname, "../../../src/wire/messages")
const { newest, oldest } = Definitions.releases
const jars = { newest: Jar.kafkaClients(newest), oldest: Jar.kafkaClients(oldest) }

describe("the tables of messages", () => {
  it("are as Kafka's definitions make them", ({ skip }) => {
    if (jars.newest === undefined || jars.oldest === undefined) {
      const reason = `kafka-clients ${newest} and ${oldest} are not both in Maven's local repository`
      console.log(`skipped: ${reason}`)
      return skip(reason)
    }
    const made = Definitions.generate({ newest: jars.newest, oldest: jars.oldest })

    assert.sameMembers(readdirSync(tables), [...made.keys()])
    for (const [name, text] of made) assert.strictEqual(readFileSync(join(tables, name), "utf8"), text, name)
  })
})
