import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Specification from "../../../src/conformance/Specification.ts"
import { focus } from "../../../src/conformance/transactions/Focus.ts"
import { configurationOf } from "../../../src/model/Model.ts"
import { type Configuration, model, type World } from "../../../src/model/transactions/index.ts"
import { numbersFrom } from "../eventLogs.ts"

/** A configuration of the manifest in which more can happen, one thing after the other. */
const longer = (module: string, config: string, changes: Partial<Configuration.Configuration>) => {
  const checked = Effect.runSync(Specification.load(module, config))
  return { ...configurationOf(model, checked)!, transactionsPerClient: 12, faultBudget: 8, ...changes }
}

const properties = [...Object.keys(model.invariants), ...Object.keys(model.stepProperties)]

const holds = (
  name: string,
  configuration: Configuration.Configuration,
  from: World.World,
  to: World.World
): boolean => {
  const invariant = model.invariants[name]
  return invariant === undefined
    ? model.stepProperties[name]!(configuration, from, to)
    : invariant(configuration, to)
}

/** What a client likes best: to go on. */
const isForward = (action: string): boolean =>
  !/^(Disconnect|Expire|Crash|AppendFail|AppendUnknown|Coord|Leader|Refuse)/.test(action)

interface Compared {
  readonly steps: number
  /** Steps at which something was forgotten. */
  readonly focused: number
  /** What the last step violates, if it does. */
  readonly violated: ReadonlyArray<string>
}

/** A random run up to its first violation: of everything and of what is in focus the same must hold, at every step. */
const compare = (configuration: Configuration.Configuration, seed: number, steps: number): Compared => {
  const random = numbersFrom(seed)
  const follow = focus(configuration, 0)
  let from = model.initial(configuration)
  let focused = 0
  for (let step = 1; step <= steps; step++) {
    const all = model.successors(configuration, from).filter(({ action }) => !action.startsWith("Refuse"))
    const forward = all.filter(({ action }) => isForward(action))
    const choices = forward.length > 0 && random() < 0.9 ? forward : all
    if (choices.length === 0) return { steps: step, focused, violated: [] }
    const { world: to } = choices[Math.floor(random() * choices.length)]!
    const seen = follow(from, to)
    if (seen.configuration !== configuration) focused++
    const violated = properties.filter((name) => !holds(name, configuration, from, to))
    const missed = properties.filter((name) => !holds(name, seen.configuration, seen.from, seen.to))
    assert.deepStrictEqual(missed, violated, `seed ${seed}, step ${step}`)
    if (violated.length > 0) return { steps: step, focused, violated }
    from = to
  }
  return { steps, focused, violated: [] }
}

describe("the focus on transactions", () => {
  const base = "TransactionProperties.tla"
  const releases = "KafkaTransactionReleases.tla"
  const subjects: ReadonlyArray<
    readonly [what: string, module: string, config: string, changes?: Partial<Configuration.Configuration>]
  > = [
    ["with one instance", base, "models/transactions/version-2.cfg"],
    ["with two partitions", base, "models/transactions/two-partitions.cfg"],
    ["with two instances", base, "models/transactions/two-instances.cfg"],
    ["with two ids", base, "models/transactions/two-ids.cfg"],
    ["under version 1", base, "models/transactions/version-1.cfg"],
    ["where replication lags", base, "models/transactions/lag.cfg"],
    ["with a group", base, "models/transactions/group.cfg"],
    ["with a group and two ids", base, "models/transactions/group-two-ids.cfg"],
    ["with offsets outside", releases, "models/guarantees/offsets-outside.cfg"],
    ["where epochs run out", base, "models/transactions/exhaustion.cfg"]
  ]
  for (const [what, module, config, changes = {}] of subjects) {
    it(`${what} loses nothing that a property could ask for`, () => {
      const configuration = longer(module, config, changes)
      let focused = 0
      for (let seed = 1; seed <= 12; seed++) focused += compare(configuration, seed, 300).focused
      assert.isAbove(focused, 300)
    })
  }

  it("loses none of the violations of the exhibits", () => {
    const { exhibits } = Effect.runSync(Specification.manifest)
    const found = new Set<string>()
    for (const { config, module } of exhibits) {
      const checked = Effect.runSync(Specification.load(module, config))
      const configuration = configurationOf(model, checked)
      if (configuration === undefined) continue
      const larger = { ...configuration, transactionsPerClient: 8, faultBudget: 12 }
      for (let seed = 1; seed <= 30; seed++) {
        const { focused, violated } = compare(larger, seed, 250)
        if (focused > 0) { for (const name of violated) found.add(name) }
      }
    }
    assert.isAtLeast(found.size, 8)
  })
})
