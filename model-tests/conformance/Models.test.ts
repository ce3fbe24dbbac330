import { assert, describe, it } from "@effect/vitest"
import { Effect, Semaphore } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Check } from "../../src/conformance/Check.ts"
import * as Models from "../../src/conformance/Models.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Task from "../../src/conformance/Task.ts"
import * as Traces from "../../src/conformance/Traces.ts"
import * as Explorer from "../../src/model/Explorer.ts"
import { model } from "../../src/model/idempotent/index.ts"
import type { Holds, Violated } from "../../src/tlc/index.ts"
import { committed, configPath, graphName, temporary, withEdges } from "./support.ts"

const small = Effect.runSync(committed("wrap-small"))
const counts = small.model.counts!

/** What TLC would say of the model. */
const holds = (over: Partial<Holds> = {}): Holds => ({
  _tag: "Holds",
  distinct: counts.distinct,
  generated: counts.generated,
  depth: counts.depth,
  initial: 1,
  queue: 0,
  seconds: 1,
  ...over
})

const violated = (over: Partial<Violated> = {}): Violated => ({
  ...holds(),
  _tag: "Violated",
  kind: "invariant",
  property: "NoLoss",
  location: undefined,
  message: "Invariant NoLoss is violated.",
  trace: [1, 2, 3].map((index) => ({ index, action: undefined, location: undefined, variables: {} })),
  ...over
})

const explored = (configuration: typeof small.configuration) =>
  Explorer.explore({
    model,
    configuration,
    properties: small.model.properties.filter((name) => name !== "TypeOK")
  })

/** What TLC says of a configuration, by way of the code, whose graph is the same. */
const outcomeOf = (configuration: typeof small.configuration): Holds => {
  const { depth, edges, states } = explored(configuration)
  return holds({ distinct: states, generated: edges + 1, depth })
}

const refused = ["Produce KAFKA_STORAGE_ERROR", "Produce NOT_LEADER_OR_FOLLOWER", "Produce TOPIC_AUTHORIZATION_FAILED"]

/** An exploration that found nothing. */
const nothing: Task.Explored = {
  specification: "IdempotentProducer",
  states: 0,
  edges: 0,
  depth: 0,
  actions: {},
  refusals: [],
  witnesses: {},
  seconds: 1
}

/** Without TLC, and with the work of the workers done here. */
const here: Models.Context = { toolchain: undefined, workers: { run: Task.run }, tlc: Semaphore.makeUnsafe(1) }

const failures = (checks: ReadonlyArray<Check>): ReadonlyArray<readonly [name: string, detail: string | undefined]> =>
  checks.flatMap((check) => check.status === "failed" ? [[check.name, check.detail] as const] : [])

describe("missedPins", () => {
  it("has nothing to say when all is as pinned", () => {
    assert.deepStrictEqual(Models.missedPins(small.model, holds(), small.graph), [])
    assert.deepStrictEqual(Models.missedPins(small.model, outcomeOf(small.configuration), small.graph), [])
    assert.deepStrictEqual(Models.missedPins(small.model, holds(), undefined), [])
  })

  const withoutLast = withEdges(small.graph, (edges) => edges.slice(0, -1))
  const renamed = withEdges(
    small.graph,
    (edges) => edges.map(([source, target, label]) => [source, target, label.replace("Resend", "Send")] as const)
  )
  const withoutRefusals = withEdges(
    small.graph,
    (edges) => edges.map(([source, target, label]) => [source, target, label.replace("Refuse", "Accept")] as const)
  )
  const pinned = (over: Partial<Specification.Counts>) => ({ ...small.model, counts: { ...counts, ...over } })
  const pinsLasso = {
    ...small.model,
    verdict: "violated" as const,
    properties: ["Ends"],
    property: "Ends"
  }
  const lasso = violated({
    kind: "liveness",
    property: undefined,
    message: "Temporal properties were violated.",
    lasso: 2
  })
  const pinsViolation = { ...small.model, verdict: "violated" as const, property: "NoLoss", length: 3 }
  const table: ReadonlyArray<
    readonly [what: string, missed: ReadonlyArray<string>, expected: ReadonlyArray<RegExp>]
  > = [
    [
      "another number of states",
      Models.missedPins(small.model, holds({ distinct: 7 }), undefined),
      [/^distinct is 7, pinned \d+$/]
    ],
    ["another depth", Models.missedPins(small.model, holds({ depth: 2 }), undefined), [/^depth is 2, pinned \d+$/]],
    ["another number of steps", Models.missedPins(small.model, holds({ generated: 8 }), small.graph), [
      /^generated is 8, pinned \d+$/,
      /^\d+ edges, but TLC generated 7$/
    ]],
    ["an initial state too many", Models.missedPins(small.model, holds({ initial: 2 }), small.graph), [
      /edges, but TLC generated/
    ]],
    ["a graph without one of its edges", Models.missedPins(small.model, holds(), withoutLast), [
      /edges, but TLC generated/,
      /^the counts by action differ from the pinned ones$/
    ]],
    ["a graph without edges", Models.missedPins(small.model, holds(), withEdges(small.graph, () => [])), [
      /^0 edges, but TLC generated/,
      /counts by action/
    ]],
    ["a graph with another action", Models.missedPins(small.model, holds(), renamed), [/counts by action/]],
    ["a violation", Models.missedPins(small.model, violated(), undefined), [
      /^expected holds, TLC finds violates NoLoss in 3 states$/
    ]],
    ["a violation that is gone", Models.missedPins(pinsViolation, holds(), undefined), [
      /^expected violates NoLoss in 3 states, TLC finds holds$/
    ]],
    ["a longer counterexample", Models.missedPins({ ...pinsViolation, length: 2 }, violated(), undefined), [
      /^expected violates NoLoss in 2 states, TLC finds violates NoLoss in 3 states$/
    ]],
    ["another property", Models.missedPins({ ...pinsViolation, property: "NoGap" }, violated(), undefined), [
      /violates NoGap in 3 states, TLC finds violates NoLoss/
    ]],
    ["a violation as pinned", Models.missedPins(pinsViolation, violated(), undefined), []],
    ["a lasso as pinned", Models.missedPins(pinsLasso, lasso, undefined), []],
    ["a lasso whose length is pinned", Models.missedPins({ ...pinsLasso, length: 3 }, lasso, undefined), [
      /^expected violates Ends in 3 states, TLC finds violates Ends in a lasso$/
    ]],
    ["a lasso that is gone", Models.missedPins(pinsLasso, holds(), undefined), [
      /^expected violates Ends in a lasso, TLC finds holds$/
    ]],
    ["a violation in the place of a lasso", Models.missedPins(pinsLasso, violated({ property: "Ends" }), undefined), [
      /^expected violates Ends in a lasso, TLC finds violates Ends in 3 states$/
    ]],
    [
      "a lasso that TLC cannot name",
      Models.missedPins({ ...pinsLasso, properties: ["Ends", "Begins"] }, lasso, undefined),
      [/^expected violates Ends in a lasso, TLC finds violates Temporal properties were violated. in a lasso$/]
    ],
    ["a refusal that is not pinned", Models.missedPins(pinned({ refusals: 2 }), holds(), small.graph), [
      /^TLC refuses 3 pairs of request and error, pinned 2$/
    ]],
    ["refusals of which none is pinned", Models.missedPins(pinned({ refusals: 0 }), holds(), small.graph), [
      /^TLC refuses 3 pairs of request and error, pinned 0$/
    ]],
    ["refusals that are gone", Models.missedPins(small.model, holds(), withoutRefusals), [
      /counts by action/,
      /^TLC refuses 0 pairs of request and error, pinned 3$/
    ]]
  ]
  for (const [what, missed, expected] of table) {
    it(`sees ${what}`, () => {
      assert.strictEqual(missed.length, expected.length, missed.join("; "))
      expected.forEach((message, i) => assert.match(missed[i]!, message))
    })
  }

  it("sees that no counts are pinned", () => {
    const { counts: _, ...unpinned } = small.model

    assert.deepStrictEqual(Models.missedPins(unpinned, holds(), undefined), ["no counts are pinned"])
  })

  it("sees a bound that was shrunk", () => {
    const shrunk = outcomeOf({ ...small.configuration, faultBudget: small.configuration.faultBudget - 1 })

    const missed = Models.missedPins(small.model, shrunk, undefined)

    assert.deepStrictEqual(missed.map((text) => text.split(" ")[0]), ["distinct", "generated", "depth"])
  })
})

describe("expectedOf", () => {
  const table: ReadonlyArray<
    readonly [
      what: string,
      outcome: Holds | Violated,
      properties: ReadonlyArray<string>,
      expected: Models.Expected
    ]
  > = [
    ["holds", holds(), ["NoLoss"], { verdict: "holds" }],
    ["names what TLC names", violated(), ["NoGap", "NoLoss"], { verdict: "violated", property: "NoLoss", length: 3 }],
    [
      "names the one property there is",
      violated({ property: undefined }),
      ["Refines"],
      { verdict: "violated", property: "Refines", length: 3 }
    ],
    [
      "knows the refinement by its module",
      violated({ property: undefined, location: "line 6, col 17 to line 6, col 26 of module ExactlyOnce" }),
      ["TypeOK", "Refines"],
      { verdict: "violated", property: "Refines", length: 3 }
    ],
    [
      "does not take another module for the refinement",
      violated({ property: undefined, location: "line 6 of module IdempotentProducer", message: "An action property" }),
      ["TypeOK", "Refines"],
      { verdict: "violated", property: "An action property", length: 3 }
    ],
    [
      "gives a lasso no length",
      violated({ kind: "liveness", property: undefined, lasso: "stuttering" }),
      ["Ends"],
      { verdict: "violated", property: "Ends" }
    ],
    [
      "tells what is no property in TLC's words",
      violated({ property: undefined, trace: [], message: "Deadlock reached." }),
      ["A", "B"],
      { verdict: "violated", property: "Deadlock reached.", length: 0 }
    ]
  ]
  for (const [what, outcome, properties, expected] of table) {
    it(what, () => {
      assert.deepStrictEqual(Models.expectedOf(outcome, properties), expected)
    })
  }

  it("counts the states of an explored counterexample, the initial one included", () => {
    const found: Task.Explored = { ...nothing, states: 9, edges: 9, depth: 3 }

    assert.deepStrictEqual(Models.expectedOfExplored(found), { verdict: "holds" })
    assert.deepStrictEqual(Models.expectedOfExplored({ ...found, property: "NoLoss", steps: ["Send(p1)", "X"] }), {
      verdict: "violated",
      property: "NoLoss",
      length: 3
    })
  })
})

describe("isSame and describe", () => {
  const violation: Models.Expected = { verdict: "violated", property: "NoLoss", length: 3 }

  it("compare verdict, property and length", () => {
    assert.isTrue(Models.isSame({ verdict: "holds" }, { verdict: "holds" }))
    assert.isTrue(Models.isSame(violation, { ...violation }))
    for (
      const other of [{ verdict: "holds" }, { ...violation, property: "NoGap" }, { ...violation, length: 4 }] as const
    ) {
      assert.isFalse(Models.isSame(violation, other))
      assert.isFalse(Models.isSame(other, violation))
    }
  })

  it("say it in words", () => {
    assert.strictEqual(Models.describe({ verdict: "holds" }), "holds")
    assert.strictEqual(Models.describe(violation), "violates NoLoss in 3 states")
    assert.strictEqual(Models.describe({ verdict: "violated" }), "violates a property in a lasso")
  })
})

describe("judged", () => {
  it("passes when nothing is missed, and tells everything that is", () => {
    assert.deepStrictEqual(Models.judged("a", [], "run"), { name: "a", status: "passed" })
    assert.deepStrictEqual(Models.judged("a", ["x", "y"], "run"), {
      name: "a",
      status: "failed",
      detail: "x; y",
      rerun: "run"
    })
    assert.deepStrictEqual(Models.judged("a", ["x"]), { name: "a", status: "failed", detail: "x" })
  })
})

it("actionCounts counts edges by action", () => {
  assert.deepStrictEqual(Models.actionCounts(small.graph), counts.actions)
})

describe("refusalsOf", () => {
  it("finds each pair of request and error once", () => {
    assert.sameMembers([...Models.refusalsOf(small.graph)], refused)
  })

  it("finds none in a graph without arguments, which is then not compared", () => {
    const bare = withEdges(
      small.graph,
      (edges) => edges.map(([source, target, label]) => [source, target, label.replace(/\(.*/, "")] as const)
    )

    assert.strictEqual(Models.refusalsOf(bare).size, 0)
    assert.deepStrictEqual(Models.missedPins(small.model, holds(), bare), [])
  })
})

describe("verify without TLC", () => {
  it.effect("replays the committed graph and skips what needs TLC", () =>
    Effect.gen(function*() {
      const report = yield* Models.verify(here, small.model)

      assert.deepStrictEqual(report.checks.map(({ name, status }) => [name, status]), [
        ["wrap-small: properties", "passed"],
        ["wrap-small: TLC", "skipped"],
        ["wrap-small: core replay", "passed"],
        ["wrap-small: runtime replay", "passed"]
      ])
      assert.strictEqual(report.verdict, "skipped")
      assert.strictEqual(report.replay.core?.edges, counts.generated - 1)
      assert.strictEqual(report.replay.runtime?.edges, counts.generated - 1)
    }))

  it.effect("skips the replay of a graph that is not committed", () =>
    Effect.gen(function*() {
      const { checks } = yield* Models.verify(here, { ...small.model, committed: false })

      assert.deepStrictEqual(checks.map(({ status }) => status), ["passed", "skipped", "skipped", "skipped"])
    }))

  /** The model with another configuration file, and its graph written anew with other edges. */
  const changed = Effect.fnUntraced(function*(
    edit: (text: string) => string,
    edges: Parameters<typeof withEdges>[1] = (all) => all
  ) {
    const folder = yield* temporary
    writeFileSync(join(folder, "changed.cfg"), edit(readFileSync(small.checked.origin, "utf8")))
    const model = { ...small.model, name: graphName(folder, "changed"), config: configPath(folder, "changed.cfg") }
    yield* Traces.write(
      model.name,
      yield* Specification.load(model.module, model.config),
      withEdges(small.graph, edges),
      "TLC"
    )
    return model
  })

  it.effect("is red when a property was taken out of the configuration", () =>
    Effect.gen(function*() {
      const model = yield* changed((text) => text.replace("  NoGap\n", ""))

      const { checks } = yield* Models.verify(here, model, [])

      const [[name, detail] = [], ...others] = failures(checks)
      assert.match(name!, /properties$/)
      assert.match(detail!, /^the configuration lists TypeOK,NoLoss,NoDuplicate,InOrder,.*, pinned TypeOK,.*NoGap/)
      assert.isEmpty(others)
    }))

  it.effect("is red when a bound was shrunk, even if the graph was renewed", () =>
    Effect.gen(function*() {
      const shrink = (text: string) => text.replace("FaultBudget = 1", "FaultBudget = 0")
      const model = yield* changed(shrink)

      // The runtime engine takes the budget of faults from the graph, so only the core engine sees this.
      const { checks: replayed } = yield* Models.verify(here, model, ["core"])
      const { checks: explored } = yield* Models.explore(here, model)

      assert.strictEqual(failures(replayed).length, 1)
      assert.match(failures(replayed)[0]![1]!, /^\d+ divergences\n/)
      const [[, detail] = []] = failures(explored)
      assert.match(detail!, /^\d+ states, TLC has \d+; \d+ edges, TLC has \d+; depth .*; the counts by action differ/)
    }))

  it.effect("refuses the committed graph when a bound was shrunk", () =>
    Effect.gen(function*() {
      const model = yield* changed((text) => text.replace("FaultBudget = 1", "FaultBudget = 0"))

      const { message } = yield* Effect.flip(Models.verify(here, { ...model, name: "wrap-small" }))

      assert.match(message, /the graph is stale/)
    }))

  it.effect("is red when the graph has no edges", () =>
    Effect.gen(function*() {
      const model = yield* changed((text) => text, () => [])

      const { checks } = yield* Models.verify(here, model)

      assert.deepStrictEqual(failures(checks).map(([, detail]) => detail), [
        "the graph has no edges",
        "the graph has no edges"
      ])
    }))

  it.effect("is red when an edge was taken out of the graph", () =>
    Effect.gen(function*() {
      const model = yield* changed((text) => text, (edges) => edges.slice(1))

      const { checks } = yield* Models.verify(here, model, ["core"])

      const [[, detail] = []] = failures(checks)
      assert.match(detail!, /^\d+ divergences\nextra step /)
    }))

  for (
    const [what, doctored, message] of [
      ["compared too few edges", { edges: counts.generated - 2 }, /^\d+ of \d+ edges were compared$/],
      ["compared none", { edges: 0 }, /^the graph has no edges$/],
      ["found a divergence that it does not tell", { divergences: 1 }, /^1 divergences$/]
    ] as const
  ) {
    it.effect(`is red when a replay ${what}`, () =>
      Effect.gen(function*() {
        const result = { states: 1, edges: counts.generated - 1, divergences: 0, first: [], seconds: 1, ...doctored }
        const run = (() => Effect.succeed(result)) as unknown as Models.Context["workers"]["run"]

        const { checks } = yield* Models.verify({ ...here, workers: { run } }, small.model, ["core"])

        const [[name, detail] = []] = failures(checks)
        assert.strictEqual(name, "wrap-small: core replay")
        assert.match(detail!, message)
      }))
  }
})

describe("explore", () => {
  it.effect("is green when the code's graph has the size of TLC's", () =>
    Effect.gen(function*() {
      const { checks, explorer } = yield* Models.explore(here, small.model)

      assert.deepStrictEqual(checks, [{ name: "wrap-small: explorer", status: "passed" }])
      assert.strictEqual(explorer?.states, counts.distinct)
      assert.strictEqual(explorer?.edges, counts.generated - 1)
    }))

  it.effect("is judged by what is pinned where the explorer is alone", () =>
    Effect.gen(function*() {
      const alone = { ...small.model, explorerAlone: true as const, committed: false, replay: [] }
      const { counts: _, ...unpinned } = alone

      const report = yield* Models.verify(here, alone)
      const explored = yield* Models.explore(here, { ...alone, counts: { ...counts, distinct: 7 } })
      const nothing = yield* Models.explore(here, unpinned)

      assert.deepStrictEqual(report.checks, [{ name: "wrap-small: properties", status: "passed" }])
      assert.strictEqual(report.explorerAlone, true)
      assert.deepStrictEqual(failures(explored.checks), [["wrap-small: explorer", "300 states, the pin has 7"]])
      assert.deepStrictEqual(failures(nothing.checks), [["wrap-small: explorer", "no counts are pinned"]])
    }))

  const sound: Task.Explored = {
    ...nothing,
    states: counts.distinct,
    edges: counts.generated - 1,
    depth: counts.depth,
    actions: counts.actions,
    refusals: refused
  }
  const table: ReadonlyArray<readonly [what: string, doctored: Partial<Task.Explored>, message: RegExp]> = [
    ["finds another number of states", { states: 1 }, /^1 states, TLC has \d+$/],
    ["takes another number of steps", { edges: 0 }, /^0 edges, TLC has \d+$/],
    ["goes less deep", { depth: 3 }, /^depth 3, TLC has \d+$/],
    [
      "refuses with fewer errors",
      { refusals: refused.slice(1) },
      /^the explorer refuses 2 pairs of request and error, pinned 3$/
    ],
    [
      "takes other steps",
      { actions: { ...counts.actions, Send: 0 } },
      /^the counts by action differ from those of TLC$/
    ],
    [
      "finds a violation",
      { property: "NoGap", steps: ["Send(p1)"] },
      /^expected holds, the explorer finds violates NoGap/
    ]
  ]
  for (const [what, doctored, message] of table) {
    it.effect(`is red when it ${what}`, () =>
      Effect.gen(function*() {
        const run = (() => Effect.succeed({ ...sound, ...doctored })) as unknown as Models.Context["workers"]["run"]

        const { checks } = yield* Models.explore({ workers: { run } }, small.model)

        const [[, detail] = []] = failures(checks)
        assert.match(detail!, message)
      }))
  }
})

describe("what the code leaves to TLC", () => {
  /** The model as one that must violate `property`, which its configuration lists alone. */
  const violating = Effect.fnUntraced(function*(property: string) {
    const folder = yield* temporary
    const text = readFileSync(small.checked.origin, "utf8")
    const watched = text.slice(0, text.indexOf("INVARIANTS"))
    writeFileSync(join(folder, "violating.cfg"), `${watched}PROPERTIES\n  ${property}\nCHECK_DEADLOCK FALSE\n`)
    const { counts: _, ...rest } = small.model
    return {
      ...rest,
      config: configPath(folder, "violating.cfg"),
      committed: false,
      replay: [],
      verdict: "violated" as const,
      properties: [property],
      property
    }
  })

  it.effect("is said, and not explored in vain", () =>
    Effect.gen(function*() {
      const model = yield* violating("EveryRecordDecided")

      const report = yield* Models.verify(here, model)
      const explored = yield* Models.explore(here, model)

      assert.deepStrictEqual(report.leftToTlc, { EveryRecordDecided: "it speaks of whole behaviours" })
      assert.deepStrictEqual(explored, { checks: [] })
      assert.isUndefined(Models.joined(report, explored).explorer)
    }))

  it.effect("cannot be asked of the explorer alone, or nobody would judge it", () =>
    Effect.gen(function*() {
      const model = { ...(yield* violating("EveryRecordDecided")), explorerAlone: true as const }

      const { checks } = yield* Models.explore(here, model)

      assert.deepStrictEqual(failures(checks), [
        ["wrap-small: explorer", "nobody judges EveryRecordDecided: the explorer is alone, and leaves it to TLC"]
      ])
    }))

  it.effect("is nothing that the code judges: there the explorer must find the violation too", () =>
    Effect.gen(function*() {
      const { checks } = yield* Models.explore(here, { ...(yield* violating("Refines")), length: 6 })

      assert.deepStrictEqual(failures(checks), [
        ["wrap-small: explorer", "expected violates Refines in 6 states, the explorer finds holds"]
      ])
    }))

  it.effect("is nothing that the code has forgotten", () =>
    Effect.gen(function*() {
      const model = yield* violating("NoLuck")

      const verified = yield* Effect.flip(Models.verify(here, model))
      const explored = yield* Effect.flip(Models.explore(here, model))

      assert.match(verified.message, /has no NoLuck, and does not leave it to TLC$/)
      assert.strictEqual(explored.message, verified.message)
    }))
})

describe("totalsOf", () => {
  const report: Models.ModelReport = {
    name: "a",
    tier: "default",
    verdict: "holds",
    seconds: 2,
    leftToTlc: {},
    replay: { core: { edges: 10, divergences: 1, seconds: 0.5 } },
    explorer: { states: 5, edges: 10, depth: 3, seconds: 0.25 },
    checks: []
  }

  it("adds up what was done, by engine", () => {
    const { explorer: _, ...bare } = report
    const other = { ...bare, replay: { core: report.replay.core!, runtime: { edges: 7, divergences: 0, seconds: 3 } } }

    assert.deepStrictEqual(Models.totalsOf([report, other]), {
      seconds: { tlc: 4, explorer: 0.25 },
      core: { edges: 20, divergences: 2, seconds: 1 },
      runtime: { edges: 7, divergences: 0, seconds: 3 }
    })
  })
})

describe("renderDivergence", () => {
  it("tells the step, the way to it, and what differs", () => {
    const divergence = {
      kind: "other successor",
      path: ["Send(p1)", "HandleProduce(p1, 0)"],
      step: "Replicate(p1)",
      differences: [{ path: "highWatermark.p1", expected: "1", actual: "0" }]
    } as const

    const text = Models.renderDivergence(divergence)

    assert.include(text, "Replicate(p1)")
    assert.include(text, "Send(p1) HandleProduce(p1, 0)")
    assert.include(text, "  highWatermark.p1: specification 1, code 0")
    assert.include(Models.renderDivergence({ ...divergence, path: [] }), "the initial state")
  })
})
