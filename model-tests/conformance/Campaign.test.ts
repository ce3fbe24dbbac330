import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Campaign from "../../src/conformance/Campaign.ts"
import * as Exhibits from "../../src/conformance/Exhibits.ts"
import * as Schedule from "../../src/conformance/Schedule.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Steering from "../../src/conformance/Steering.ts"
import * as Task from "../../src/conformance/Task.ts"
import { Scenario, trialOf } from "../../src/conformance/transactions/index.ts"
import { Limits, Rules, TransactionRules } from "../../src/core/index.ts"

const manifest = Effect.runSync(Specification.manifest)

/** The campaign of a row of the matrix, or of a model. */
const campaignOf = (name: string): Campaign.Campaign => {
  const found = manifest.guarantees.find(({ configuration }) => configuration === name)
    ?? manifest.models.find((model) => model.name === name)!
  return Effect.runSync(Task.campaignOf(found.module, found.config))
}

/** Of the rules of an exhibit, and without them. */
const ofExhibit = (name: string) => {
  const exhibit = manifest.exhibits.find((one) => one.name === name)!
  const { config, module } = exhibit
  return {
    exhibit,
    bug: Effect.runSync(Task.campaignOf(module, config, {}, true)),
    clean: Effect.runSync(Task.campaignOf(module, config, Exhibits.cure(exhibit), true))
  }
}

/** So many chunks, steered or not. */
const explore = (
  campaign: Campaign.Campaign,
  { chunks, runs, seed, steered }: {
    readonly chunks: number
    readonly runs: number
    readonly seed: number
    readonly steered: boolean
  }
): ReadonlyArray<Campaign.Found> => {
  const steering = Steering.make()
  return Array.from({ length: chunks }, (_, i) => {
    const parents = steered ? steering.parents() : []
    const found = campaign.chunk({ seed, from: i * runs, runs, parents })
    steering.learn(found)
    return found
  })
}

describe("a campaign", () => {
  for (const name of ["idempotent", "transactions-beyond-group-two-ids", "read-committed"]) {
    it(`of ${name} is a function of its seed, steered as it is`, () => {
      const options = { chunks: 3, runs: 12, seed: 5, steered: true }
      const found = explore(campaignOf(name), options)

      assert.deepStrictEqual(explore(campaignOf(name), options), found)
      assert.notDeepEqual(
        explore(campaignOf(name), { ...options, seed: 6 }).map(({ trace }) => trace),
        found.map(({ trace }) => trace)
      )
      assert.strictEqual(new Set(found.map(({ trace }) => trace)).size, 3)
      assert.isTrue(found.every(({ broken }) => broken.violated === 0))
    })

    it(`of ${name} finds the scenario of a run again by its path, also of one that varies others`, () => {
      const campaign = campaignOf(name)
      const held = explore(campaign, { chunks: 4, runs: 12, seed: 5, steered: true }).flatMap(({ parents }) => parents)

      assert.isTrue(held.some(({ path }) => path.includes(".")))
      for (const { parts, path } of held) assert.deepStrictEqual(campaign.at(5, path).parts, parts)
    })
  }

  it("varies nothing unless it is steered", () => {
    const found = explore(campaignOf("idempotent"), { chunks: 2, runs: 10, seed: 5, steered: false })

    assert.isTrue(found.every(({ parents }) => parents.every(({ path }) => /^\d+$/.test(path))))
  })

  it("knows no path that is none", () => {
    for (const path of ["", "x", "1.", "1:999999"]) {
      assert.throws(() => campaignOf("idempotent").at(1, path), Campaign.PathError)
    }
  })

  it("meets what is rare sooner when it is steered", () => {
    const campaign = campaignOf("read-committed")
    const often = 20
    const size = 50
    /** How many runs it takes until so many of them have had the rarest witness. */
    const needed = (seed: number, steered: boolean): number => {
      const steering = Steering.make()
      for (let from = 0, met = 0; from < 4_000; from += size) {
        const found = campaign.chunk({ seed, from, runs: size, parents: steered ? steering.parents() : [] })
        steering.learn(found)
        met += found.witnesses["EnclosedAborted"] ?? 0
        if (met >= often) return from + size
      }
      return assert.fail("the witness is too rare")
    }

    for (const seed of [1, 2]) assert.isBelow(2 * needed(seed, true), needed(seed, false))
  })
})

describe("a log that is not synced", () => {
  const context = {
    transactionVersion: 2,
    verification: true,
    rules: TransactionRules.base,
    replica: { rules: Rules.base, limits: Limits.kafka }
  } as const

  it("shows in a campaign: a coordinator goes by what its predecessor lost", () => {
    const setup = Scenario.everything(context, false)
    const order = { seed: 1, from: 0, runs: 60, parents: [] }
    const isClean = ({ broken, properties }: Campaign.Found): boolean =>
      broken.violated === 0 && Object.values(properties).every(({ violated }) => violated === 0)

    assert.isFalse(isClean(Campaign.of(trialOf({ ...setup, syncsLog: false })).chunk(order)))
    assert.isTrue(isClean(Campaign.of(trialOf(setup)).chunk(order)))
  })
})

describe("a bug of the museum", () => {
  for (const name of ["redpanda-3038", "KAFKA-5351", "AutoMQ-754"]) {
    const { bug, clean, exhibit } = ofExhibit(name)
    const order = { seed: 1, from: 0, runs: 150, parents: [], watched: [exhibit.property], detecting: true }

    it(`${name} is found, and is gone without its rule`, () => {
      const { detection } = bug.chunk(order, clean)

      assert.isDefined(detection)
      assert.isUndefined(clean.chunk({ ...order, runs: detection!.run }, clean).detection)
    })

    it(`${name} is made smaller, recorded in a file, and shows when the file is replayed`, () => {
      const { path, property } = bug.chunk(order, clean).detection!
      const before = bug.at(order.seed, path)
      const shrunk = bug.shrink(order.seed, path, property, exhibit.property)
      const small = bug.at(order.seed, shrunk.path)
      const folder = mkdtempSync(join(tmpdir(), "keos-schedule-"))
      const file = join(folder, "run.json")
      const { config, module } = exhibit
      const origin = {
        configuration: name,
        module,
        config,
        seed: order.seed,
        path: shrunk.path,
        watched: [exhibit.property]
      }

      const schedule = Schedule.record(bug, origin, small.parts)
      Effect.runSync(Schedule.write(file, schedule))
      const read = Effect.runSync(Schedule.read(file))
      rmSync(folder, { recursive: true })
      const replayed = Schedule.replay(bug, read)

      assert.isBelow(shrunk.scenario.length, String(before).length)
      assert.strictEqual(String(small), shrunk.scenario)
      assert.deepStrictEqual(read, schedule)
      assert.isTrue(replayed.isSame)
      assert.strictEqual(replayed.scenario, shrunk.scenario)
      assert.deepStrictEqual(replayed.violated, schedule.violated)
      assert.include(Object.values(replayed.violated), shrunk.sentence)
      // Without the bug the same choices lead elsewhere.
      assert.deepStrictEqual(Schedule.replay(clean, read).violated, {})
      assert.isFalse(Schedule.replay(clean, read).isSame)
    })
  }
})

describe("a schedule", () => {
  const campaign = campaignOf("transactions-beyond-group-two-ids")
  const origin = { configuration: "x", module: "x", config: "x", seed: 1, watched: [] }
  const { parts } = campaign.at(1, "4")
  const schedule = Schedule.record(campaign, origin, parts)

  it("says everything that happened again, without the seed of its scenario", () => {
    const elsewhere = { ...schedule, parts: { ...schedule.parts, seed: 12_345 } }

    assert.isAbove(schedule.choices.ready.length, 40)
    assert.isTrue(Schedule.replay(campaign, schedule).isSame)
    assert.isTrue(Schedule.replay(campaign, elsewhere).isSame)
    assert.isAbove(Schedule.replay(campaign, schedule).lines.length, 50)
  })

  it("is another run when a choice is another", () => {
    const { drawn, ready } = schedule.choices
    const changed = { ...schedule, choices: { drawn: drawn.toReversed(), ready } }

    assert.isFalse(Schedule.replay(campaign, changed).isSame)
  })

  it("is refused by name where the file is none", () => {
    const folder = mkdtempSync(join(tmpdir(), "keos-schedule-"))
    const file = join(folder, "run.json")
    Effect.runSync(Schedule.write(file, schedule))
    const text = readFileSync(file, "utf8")
    for (const spoiled of [text.slice(0, -20), text.replace("\"schemaVersion\": 1", "\"schemaVersion\": 2"), "{}"]) {
      writeFileSync(file, spoiled)
      const message = Effect.runSync(Effect.flip(Schedule.read(file))).message
      assert.include(message, "run.json is no schedule")
    }
    rmSync(folder, { recursive: true })
    assert.include(Effect.runSync(Effect.flip(Schedule.read(file))).message, "there is no such file")
  })
})
