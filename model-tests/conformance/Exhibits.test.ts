import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Exhibits from "../../src/conformance/Exhibits.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Task from "../../src/conformance/Task.ts"
import { configPath, temporary } from "./support.ts"

const { exhibits } = Effect.runSync(Specification.manifest)
const exhibit = exhibits.find(({ name }) => name === "redpanda-3038")!

/** What speaks against an exhibit with something changed in it or in its configuration. */
const missed = Effect.fnUntraced(function*(
  over: Partial<Specification.Exhibit>,
  edit: (text: string) => string = (text) => text
) {
  const folder = yield* temporary
  const text = readFileSync(join(Specification.folder, exhibit.config), "utf8")
  writeFileSync(join(folder, "changed.cfg"), edit(text))
  const changed = { ...exhibit, ...over, config: configPath(folder, "changed.cfg") }
  const bug = yield* Specification.load(changed.module, changed.config)
  return Exhibits.missedChanges(changed, bug, yield* Exhibits.loadClean(changed))
})

describe("an exhibit", () => {
  for (const one of exhibits) {
    it.effect(`${one.name} is the only thing that is changed`, () =>
      Effect.gen(function*() {
        const bug = yield* Specification.load(one.module, one.config)

        assert.deepStrictEqual(Exhibits.missedChanges(one, bug, yield* Exhibits.loadClean(one)), [])
      }))
  }

  const table: ReadonlyArray<
    readonly [what: string, Parameters<typeof missed>, expected: ReadonlyArray<string>]
  > = [
    ["that changes nothing", [{ rules: [] }], ["it changes nothing", "RememberedBatches stays that of the bug"]],
    ["with a constant as it is without the bug", [{ constants: { FaultBudget: 1 } }], [
      "FaultBudget is as without the bug"
    ]],
    ["with the rule of another bug", [{ rules: ["RememberedBatches", "MayBumpEpoch"] }], [
      "MayBumpEpoch is not the rule of the bug"
    ]],
    ["of another property", [{ property: "NoLoss" }], ["NoLoss is not watched alone"]],
    ["that is watched for more", [{}, (text) => text.replace("  NoDuplicate\n", "  NoDuplicate\n  NoLoss\n")], [
      "NoDuplicate is not watched alone"
    ]]
  ]
  for (const [what, [over, edit], expected] of table) {
    it.effect(`${what} is found out`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* missed(over, edit), expected)
      }))
  }

  it.effect("that names something which its configuration does not have is refused", () =>
    Effect.gen(function*() {
      const rule = yield* Effect.flip(missed({ rules: ["RememberedBatches", "IsFirstSequence"] }))
      const constant = yield* Effect.flip(missed({ constants: { NoLuck: 1 } }))

      assert.match(rule.message, /changed\.cfg does not have IsFirstSequence$/)
      assert.match(constant.message, /changed\.cfg does not have NoLuck$/)
    }))

  it("differs from the clean configuration in what it names and in nothing else", () => {
    const bug = Effect.runSync(Specification.load(exhibit.module, exhibit.config))
    const clean = Effect.runSync(Exhibits.loadClean(exhibit))
    const other = Effect.runSync(
      Specification.load(exhibit.module, exhibit.config, { ...Exhibits.cure(exhibit), constants: { FaultBudget: 0 } })
    )

    assert.deepStrictEqual(Exhibits.missedChanges(exhibit, bug, clean), [])
    assert.deepStrictEqual(Exhibits.missedChanges(exhibit, bug, other), ["FaultBudget is changed and not named"])
    const unnamed = (checked: Specification.Checked): Specification.Checked => {
      const substitutions = {
        ...checked.config.substitutions,
        MayBumpEpoch: { definition: "MayBumpEpoch_redpanda_3038" }
      }
      return { ...checked, config: { ...checked.config, substitutions } }
    }
    assert.deepStrictEqual(Exhibits.missedChanges(exhibit, unnamed(bug), unnamed(clean)), [
      "MayBumpEpoch stays that of the bug"
    ])
    assert.deepStrictEqual(Exhibits.missedChanges(exhibit, bug, bug), [
      "RememberedBatches is as without the bug",
      "RememberedBatches stays that of the bug"
    ])
  })
})

describe("an exhibit that is a constant", () => {
  it.effect("is cured by the constant alone", () =>
    Effect.gen(function*() {
      const constant: Specification.Exhibit = {
        ...exhibit,
        name: "no-idempotence",
        module: "IdempotentProducer.tla",
        config: "models/guarantees/acks-all-in-flight-1.cfg",
        rules: [],
        constants: { Idempotence: true },
        length: 8
      }
      const { config, module } = constant
      const only = { only: [constant.property] }

      const bug = yield* Task.run({ _tag: "Explore", module, config, changes: only })
      const clean = yield* Task.run({
        _tag: "Explore",
        module,
        config,
        changes: { ...Exhibits.cure(constant), ...only }
      })

      assert.strictEqual(bug.property, "NoDuplicate")
      assert.strictEqual(bug.steps!.length + 1, constant.length)
      assert.isUndefined(clean.property)
      assert.deepStrictEqual(Exhibits.changesOf(constant), ["Idempotence"])
      const checked = yield* Specification.load(module, config, only)
      const cured = yield* Specification.load(module, config, { ...Exhibits.cure(constant), ...only })
      assert.deepStrictEqual(Exhibits.missedChanges(constant, checked, cured), [])
    }))
})
