import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Runtimes from "../../src/conformance/Runtimes.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import { configPath, temporary } from "./support.ts"

const config = "models/base-small.cfg"

/** Loads the configuration for a module with this text. */
const load = Effect.fnUntraced(function*(text: string) {
  const folder = yield* temporary
  writeFileSync(join(folder, "Root.tla"), text)
  return yield* Specification.load(configPath(folder, "Root.tla"), config)
})

describe("the model of a configuration", () => {
  it.effect("is that of the module itself, or of one that it extends, however far away", () =>
    Effect.gen(function*() {
      for (const module of ["IdempotentProducer.tla", "KafkaReleases.tla", "museum/KAFKA_14034.tla"]) {
        const { model } = yield* Specification.load(module, config)
        assert.strictEqual(model.specification, "IdempotentProducer")
      }
      const far = yield* load("---- MODULE Root ----\nEXTENDS Naturals, KafkaReleases\n====\n")
      assert.strictEqual(far.model.specification, "IdempotentProducer")
      assert.isDefined(Runtimes.of(far))
    }))

  it.effect("a module that reads no specification of ours is refused by name", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(load("---- MODULE Root ----\nEXTENDS Naturals\n====\n"))

      assert.match(message, /Root\.tla must extend one of IdempotentProducer/)
    }))
})

const base = "IdempotentProducer.tla"
const bug = { module: "museum/KAFKA_14034.tla", config: "museum/KAFKA_14034.cfg" }

describe("changes of a configuration", () => {
  it.effect("put rules of the base back and give constants other values", () =>
    Effect.gen(function*() {
      const before = yield* Specification.load(bug.module, bug.config)
      const after = yield* Specification.load(bug.module, bug.config, {
        without: ["MayBumpEpoch"],
        constants: { FaultBudget: 1, Acks: "1", Idempotence: false, FaultKinds: ["LeaderChange", "Disconnect"] }
      })

      assert.deepStrictEqual(Specification.differences(before, before), [])
      assert.sameMembers([...Specification.differences(before, after)], [
        "MayBumpEpoch",
        "FaultBudget",
        "Acks",
        "Idempotence",
        "FaultKinds"
      ])
      assert.include(Specification.print(after.config), "FaultKinds = {\"Disconnect\", \"LeaderChange\"}")
      assert.include(Specification.print(after.config), "Idempotence = FALSE")
      assert.notInclude(Specification.print(after.config), "<-")
    }))

  it.effect("leave the order of a set alone", () =>
    Effect.gen(function*() {
      const { config: { constants } } = yield* Specification.load(base, config)
      const reversed = {
        FaultKinds: (constants["FaultKinds"] as { elements: ReadonlyArray<string> }).elements.toReversed()
      }
      const [before, after] = yield* Effect.all([
        Specification.load(base, config),
        Specification.load(base, config, { constants: reversed })
      ])

      assert.deepStrictEqual(Specification.differences(before, after), [])
    }))

  const strange: ReadonlyArray<readonly [what: string, changes: Specification.Changes]> = [
    ["a property", { only: ["NoLoss", "NoLuck"] }],
    ["a rule", { without: ["NoLuck"] }],
    ["a constant", { constants: { NoLuck: true } }]
  ]
  for (const [what, changes] of strange) {
    it.effect(`of ${what} that it does not have are refused`, () =>
      Effect.gen(function*() {
        const { message } = yield* Effect.flip(Specification.load(base, config, changes))

        assert.match(message, /base-small\.cfg does not have NoLuck$/)
      }))
  }

  it.effect("are subject to the model's own check", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(Specification.load(base, config, { constants: { Acks: "2" } }))

      assert.match(message, /base-small\.cfg: .*constant Acks is none of 0, 1, all/)
    }))
})

describe("who judges a property", () => {
  it.effect("is the code, and TLC alone what the model leaves to it", () =>
    Effect.gen(function*() {
      const { judged, leftToTlc } = yield* Specification.judgesOf(yield* Specification.load(base, config))

      assert.includeMembers([...judged], ["NoLoss", "StableReads"])
      assert.deepStrictEqual(Object.keys(leftToTlc), ["TypeOK"])
    }))

  it.effect("is never nobody", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const text = readFileSync(join(Specification.folder, config), "utf8")
      writeFileSync(join(folder, "strange.cfg"), text.replace("  NoLoss\n", "  NoLuck\n"))
      const checked = yield* Specification.load(base, configPath(folder, "strange.cfg"))

      const { message } = yield* Effect.flip(Specification.judgesOf(checked))

      assert.match(
        message,
        /strange\.cfg: the model of IdempotentProducer has no NoLuck, and does not leave it to TLC$/
      )
    }))
})

describe("a tier", () => {
  it("has what is always checked, and the nightly one everything", () => {
    const all = [{ tier: "default" }, { tier: "nightly" }, {}] as const

    assert.deepStrictEqual(all.filter(Specification.isIn("default")), [all[0], all[2]])
    assert.deepStrictEqual(all.filter(Specification.isIn("nightly")), [...all])
  })
})

describe("a row", () => {
  it("asks all witnesses unless it says which", () => {
    const asked = (row: Pick<Specification.Row, "witnesses">) =>
      (["spec", "explorer", "histories"] as const).filter((witness) => Specification.isAsked(row, witness))

    assert.deepStrictEqual(asked({}), ["spec", "explorer", "histories"])
    assert.deepStrictEqual(asked({ witnesses: ["spec", "explorer"] }), ["spec", "explorer"])
  })

  it("is of a producer unless it says of what", () => {
    assert.strictEqual(Specification.groupOf({}), "producer")
    assert.strictEqual(Specification.groupOf({ group: "release" }), "release")
  })
})
