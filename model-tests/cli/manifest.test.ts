/** What the commands make of a manifest: tiers, what models reach together, lassos, constants that are bugs. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import type * as Specification from "../../src/conformance/Specification.ts"
import * as Project from "./project.ts"

const withoutJava = { environment: { PATH: "/nonexistent", JAVA_HOME: "" } }

type Manifest = Specification.Manifest

const whole = JSON.parse(readFileSync(join(Project.root, "spec/models/manifest.json"), "utf8")) as Manifest

const models = (...names: ReadonlyArray<string>): Manifest["models"] =>
  names.map((name) => whole.models.find((model) => model.name === name)!)

const projects: Array<Project.Project> = []
afterAll(() => projects.forEach(({ remove }) => remove()))

/** A copy whose manifest has nothing but this. */
const project = (manifest: Partial<Manifest>): Project.Project => {
  const copy = Project.copy()
  projects.push(copy)
  const all = { schemaVersion: 1, models: [], guarantees: [], exhibits: [], ...manifest }
  writeFileSync(join(copy.folder, "spec/models/manifest.json"), JSON.stringify(all))
  return copy
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)!

describe("tiers", () => {
  const [small, other] = models("wrap-small", "acks-1-small")
  const tiered = project({ models: [small!, { ...other!, tier: "nightly" }] })

  it("without names the models of the tier are replayed, the nightly one has all", async () => {
    const names = async (...args: ReadonlyArray<string>) => {
      const { stdout } = await tiered.run(["replay", "--json", ...args], withoutJava)
      return (JSON.parse(stdout) as { models: ReadonlyArray<{ name: string }> }).models.map(({ name }) => name)
    }

    assert.deepStrictEqual(await names(), ["wrap-small"])
    assert.deepStrictEqual(await names("--tier", "nightly"), ["wrap-small", "acks-1-small"])
    assert.deepStrictEqual(await names("acks-1-small"), ["acks-1-small"])
  })

  it("the edges that were replayed are added up", async () => {
    const { stdout } = await tiered.run(["replay", "--tier", "nightly", "--json"], withoutJava)
    const { totals } = JSON.parse(stdout) as {
      totals: Record<"core" | "runtime", { edges: number; divergences: number }>
    }

    assert.deepInclude(totals.core, { edges: 2_099, divergences: 0 })
    assert.deepInclude(totals.runtime, { edges: 2_099, divergences: 0 })
  })

  it("an engine that is asked for replays alone", async () => {
    const { stdout } = await tiered.run(["replay", "wrap-small", "--engine", "core", "--json"], withoutJava)
    const { totals } = JSON.parse(stdout) as { totals: Record<"core" | "runtime", { edges: number }> }

    assert.deepStrictEqual([totals.core.edges, totals.runtime.edges], [520, 0])
  })
})

describe("what models reach together", () => {
  it("is red where no model takes an action or reaches a witness, and names both", async () => {
    const { code, stdout } = await project({ models: models("wrap-small") }).run(["verify"], withoutJava)

    assert.strictEqual(code, 1)
    assert.include(stdout, "✘ IdempotentProducer: every action is taken\n    ")
    assert.include(stdout, "RestartProducer in no model")
    assert.include(stdout, "✘ IdempotentProducer: every witness is reached\n    ")
    assert.include(stdout, "ProducerIdReplaced in no model")
    assert.match(lastLine(stdout), / 2 failed, \d+ skipped$/)
  })

  it("is green where the models do so together, and is counted", async () => {
    const together = project({ models: models("wrap-small", "sessions", "base-small").map(uncommitted) })

    const { code, stdout } = await together.run(["verify", "--json"], withoutJava)
    const report = JSON.parse(stdout) as {
      readonly tier: string
      readonly seconds: number
      readonly witnesses: ReadonlyArray<Record<"specification" | "name" | "states" | "models", unknown>>
      readonly refusals: ReadonlyArray<{ readonly pairs: ReadonlyArray<string> }>
    }

    assert.strictEqual(code, 0, stdout)
    assert.strictEqual(report.tier, "default")
    assert.isAbove(report.seconds, 0)
    assert.strictEqual(report.witnesses.length, 13)
    for (const { states } of report.witnesses) assert.isAbove(Number(states), 0)
    assert.deepInclude(report.witnesses.find(({ name }) => name === "ProducerIdReplaced"), {
      specification: "IdempotentProducer",
      models: 1
    })
    assert.lengthOf(report.refusals[0]!.pairs, 3)
  })

  it("is shown in a table where it is wanted", async () => {
    const { stdout } = await project({ models: models("wrap-small") }).run(["verify", "--verbose"], withoutJava)

    assert.match(stdout, /^witness +states +models$/m)
    assert.match(stdout, /^LateCopy +68 +1 {2}a request of a connection that is gone may still arrive$/m)
    assert.match(stdout, /^ProducerIdReplaced +0 +0 /m)
  })

  /** Without the replay, which is not what these tests are about. */
  function uncommitted(model: Specification.Model): Specification.Model {
    return { ...model, committed: false, replay: [] }
  }
})

describe("a row that does not ask histories", () => {
  const rows = project({
    guarantees: [{
      ...whole.guarantees.find(({ configuration }) => configuration === "acks-0")!,
      group: "release",
      label: "",
      witnesses: ["spec", "explorer"]
    }]
  })

  it("is checked without them", async () => {
    const { code, stdout } = await rows.run(["verify", "--json"], withoutJava)
    const { guarantees, histories } = JSON.parse(stdout) as {
      readonly guarantees: ReadonlyArray<unknown>
      readonly histories: unknown
    }

    assert.strictEqual(code, 0, stdout)
    assert.deepStrictEqual(histories, { runs: 0, operations: 0, seed: 1 })
    assert.deepStrictEqual(guarantees, [{
      configuration: "acks-0",
      group: "release",
      label: "",
      cells: {
        noLoss: { spec: "skipped", explorer: "violated", shortest: 3 },
        noDuplicate: { spec: "skipped", explorer: "holds" },
        noGap: { spec: "skipped", explorer: "violated", shortest: 4 },
        inOrder: { spec: "skipped", explorer: "violated", shortest: 8 }
      }
    }])
  })

  it("cannot be explored", async () => {
    const { code, stderr } = await rows.run(["explore", "acks-0"])

    assert.strictEqual(code, 2)
    assert.include(stderr, "there is no configuration with histories acks-0")
  })
})

describe("a manifest that is wrong", () => {
  const wrong: ReadonlyArray<readonly [what: string, manifest: Partial<Manifest>, message: string]> = [
    ["has a witness that there is not", {
      guarantees: [{ ...whole.guarantees[0]!, witnesses: ["oracle" as "spec"] }]
    }, "witnesses"],
    ["asks nobody", { guarantees: [{ ...whole.guarantees[0]!, witnesses: [] as never }] }, "witnesses"],
    ["has a constant that is none", {
      exhibits: [{ ...whole.exhibits[0]!, constants: { Acks: { all: true } as unknown as string } }]
    }, "constants"]
  ]
  for (const [what, manifest, message] of wrong) {
    it(`because it ${what} gives no verdict, and the place is named`, async () => {
      const { code, stderr, stdout } = await project(manifest).run(["bugs"])

      assert.strictEqual(code, 3)
      assert.strictEqual(stdout, "")
      assert.include(stderr, "manifest.json")
      assert.include(stderr, message)
      assert.notInclude(stderr, "    at ")
    })
  }
})

describe("with TLC", () => {
  const { counts: _, ...small } = models("wrap-small")[0]!
  const unfair: Specification.Model = {
    ...small,
    name: "unfair",
    config: "models/unfair.cfg",
    committed: false,
    replay: [],
    verdict: "violated",
    properties: ["EveryRecordDecided"],
    property: "EveryRecordDecided"
  }
  const constants = readFileSync(join(Project.root, "spec/models/wrap-small.cfg"), "utf8")
    .replace(/^[^]*?CONSTANTS/, "CONSTANTS")
    .replace(/INVARIANTS[^]*$/, "")

  /** The configuration of a model that must have a lasso. */
  const withSpecification = (name: string, model: Partial<Specification.Model> = {}) => {
    const copy = project({ models: [{ ...unfair, ...model }] })
    writeFileSync(
      join(copy.folder, "spec/models/unfair.cfg"),
      `SPECIFICATION ${name}\n${constants}\nPROPERTIES\n  EveryRecordDecided\nCHECK_DEADLOCK FALSE\n`
    )
    return copy
  }

  it("a lasso is expected where fairness is missing, and TLC finds it alone", async () => {
    const { code, stdout } = await withSpecification("Spec").run(["check", "unfair"])

    assert.strictEqual(code, 0, stdout)
    assert.include(stdout, "unfair: violates EveryRecordDecided in a lasso")
    assert.match(lastLine(stdout), /^2 passed, 0 failed, 0 skipped$/)
  })

  it("a lasso that is not there is red, and so is one whose length is pinned", async () => {
    const gone = await withSpecification("FairSpec").run(["check", "unfair"])
    const long = await withSpecification("Spec", { length: 3 }).run(["check", "unfair"])

    assert.strictEqual(gone.code, 1)
    assert.include(gone.stdout, "expected violates EveryRecordDecided in a lasso, TLC finds holds")
    assert.strictEqual(long.code, 1)
    assert.include(long.stdout, "TLC finds violates EveryRecordDecided in a lasso")
  })

  it("a bug that is a constant shows, once its graph and counterexample are written", async () => {
    const constant: Specification.Exhibit = {
      name: "no-idempotence",
      title: "the producer numbers nothing",
      reference: "every client before 0.11",
      releases: "Kafka before 0.11",
      module: "IdempotentProducer.tla",
      config: "museum/no_idempotence.cfg",
      rules: [],
      constants: { Idempotence: true },
      property: "NoDuplicate",
      length: 8
    }
    const bugs = (exhibit: Specification.Exhibit) => {
      const copy = project({ exhibits: [exhibit] })
      writeFileSync(
        join(copy.folder, "spec/museum/no_idempotence.cfg"),
        readFileSync(join(Project.root, "spec/museum/AutoMQ_437.cfg"), "utf8")
          .replace("Idempotence = TRUE", "Idempotence = FALSE")
          .replace(/^ *RestoreProducers <-.*\n/m, "")
      )
      return copy
    }
    const copy = bugs(constant)

    const before = await copy.run(["bugs", "run", "no-idempotence"])
    const renewed = await copy.run(["bugs", "run", "no-idempotence", "--update"])
    const after = await copy.run(["bugs", "run", "--all"])
    const listed = await copy.run(["bugs", "no-idempotence"])

    assert.strictEqual(before.code, 3)
    assert.include(before.stderr, "no-idempotence")
    assert.strictEqual(renewed.code, 0, renewed.stderr)
    assert.strictEqual(after.code, 0, after.stdout + after.stderr)
    assert.include(after.stdout, "specification shown · code shown · replay shown · counterexample shown")
    assert.include(listed.stdout, "changes Idempotence")
    assert.include(listed.stdout, "releases affected: Kafka before 0.11")
  })
})
