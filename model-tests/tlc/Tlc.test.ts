import { assert, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { check, type CheckOptions, type FailureReason, type Outcome, type Violated } from "../../src/tlc/index.ts"
import { config, describeTlc, module, runModel, spec, toolchain } from "./support.ts"

const counter = ["SPECIFICATION Spec", "CONSTANT Max = 4"]
const fair = ["SPECIFICATION FairSpec", "CONSTANT Max = 4"]
const steps = (init: string, next: string) => [`INIT ${init}`, `NEXT ${next}`, "CONSTANT Max = 4"]

const outcome = (result: Result.Result<Outcome, { readonly message: string }>): Outcome => {
  if (Result.isFailure(result)) throw new Error(result.failure.message)
  return result.success
}

describeTlc("a model that holds", () => {
  it("comes with its counts and the counts of each action", async () => {
    const result = outcome(await runModel("Counter", [...counter, "INVARIANT InRange"], { coverage: true }))

    assert.strictEqual(result._tag, "Holds")
    const { seconds, ...counts } = result
    assert.isAbove(seconds, 0)
    assert.deepStrictEqual(counts, {
      _tag: "Holds",
      distinct: 8,
      generated: 13,
      queue: 0,
      depth: 4,
      initial: 1,
      actions: { Add: { distinct: 7, generated: 10 }, Reset: { distinct: 0, generated: 2 } }
    })
  })

  it("holds with fairness, and says what it prints", async () => {
    const text: Array<string> = []
    const lines = [...fair, "PROPERTY ReachesTop", "INVARIANT Speaks"]
    const result = outcome(await runModel("Counter", lines, { onText: (line) => text.push(line) }))

    assert.strictEqual(result._tag, "Holds")
    assert.strictEqual(text.filter((line) => line.startsWith("\"at ")).length, 8)
  })

  it("may end in a deadlock that nobody asked about", async () => {
    const result = outcome(await runModel("Counter", steps("Init", "NextOrHalt"), { checkDeadlock: false }))

    assert.deepStrictEqual([result._tag, result.distinct], ["Holds", 5])
  })
})

describeTlc("a violation is named, with its trace:", () => {
  type Expected = Pick<Violated, "kind" | "property" | "lasso" | "closedBy"> & {
    readonly actions: ReadonlyArray<string | undefined>
    readonly last: Readonly<Record<string, string>> | undefined
  }
  const [none, add] = [undefined, "Add"] as const
  const table: ReadonlyArray<readonly [what: string, model: string, lines: ReadonlyArray<string>, Expected]> = [
    ["an invariant", "Counter", [...counter, "INVARIANTS InRange Small"], {
      kind: "invariant",
      property: "Small",
      actions: [none, add, add],
      last: { x: "3", log: "[by |-> 2, at |-> 1]" }
    }],
    ["an invariant in the initial state", "Counter", [...counter, "INVARIANT Positive"], {
      kind: "invariant",
      property: "Positive",
      actions: [none],
      last: { x: "0", log: "<<>>" }
    }],
    ["an action property", "Counter", [...counter, "PROPERTY NeverDown"], {
      kind: "action property",
      property: "NeverDown",
      actions: [none, add, add, "Reset"],
      last: { x: "0", log: "<<>>" }
    }],
    ["a refinement, by its only candidate", "Refinement", [...counter, "PROPERTY Refines"], {
      kind: "action property",
      property: "Refines",
      actions: [none, add],
      last: { x: "2", log: "[by |-> 2, at |-> 0]" }
    }],
    ["liveness by stuttering", "Counter", [...counter, "PROPERTY ReachesTop"], {
      kind: "liveness",
      property: "ReachesTop",
      lasso: "stuttering",
      actions: [none, add, add],
      last: { x: "3", log: "[by |-> 1, at |-> 2]" }
    }],
    ["liveness by a loop", "Counter", [...fair, "PROPERTY StaysAtTop"], {
      kind: "liveness",
      property: "StaysAtTop",
      lasso: 1,
      closedBy: "Reset",
      actions: [none, add, add],
      last: { x: "4", log: "[by |-> 2, at |-> 2]" }
    }],
    ["a deadlock", "Counter", steps("Init", "NextOrHalt"), {
      kind: "deadlock",
      property: none,
      actions: [none, "NextOrHalt"],
      last: { x: "2", log: "[by |-> 2, at |-> 0]" }
    }],
    ["an assertion in an action", "Counter", steps("Init", "NextOrAssert"), {
      kind: "assertion",
      property: none,
      actions: [none, "NextOrAssert"],
      last: { x: "2", log: "[by |-> 2, at |-> 0]" }
    }],
    ["an assertion in an invariant", "Counter", [...counter, "INVARIANT Asserting"], {
      kind: "assertion",
      property: "Asserting",
      actions: [none, add, add],
      last: { x: "3", log: "[by |-> 2, at |-> 1]" }
    }],
    ["an assumption", "Refinement", ["SPECIFICATION Spec", "CONSTANT Max = 100"], {
      kind: "assumption",
      property: none,
      actions: [],
      last: none
    }]
  ]
  it.each(table)("%s", async (_, name, lines, expected) => {
    const result = outcome(await runModel(name, lines))

    assert.strictEqual(result._tag, "Violated")
    if (result._tag !== "Violated") return
    const { actions, last, ...named } = expected
    for (const [key, value] of Object.entries(named)) assert.deepStrictEqual(result[key as keyof Violated], value, key)
    assert.deepStrictEqual(result.trace.map((state) => state.action), actions)
    assert.deepStrictEqual(result.trace.at(-1)?.variables, last)
  })

  it("a refinement also by its place", async () => {
    const result = outcome(await runModel("Refinement", [...counter, "PROPERTIES Refines ReachesTop"]))

    assert.strictEqual(result._tag, "Violated")
    if (result._tag !== "Violated") return
    assert.isUndefined(result.property)
    assert.strictEqual(result.location, "line 7, col 17 to line 7, col 26 of module Abstract")
  })
})

describeTlc("what TLC would call success stays red:", () => {
  type Case = readonly [
    what: string,
    lines: ReadonlyArray<string>,
    options: Partial<CheckOptions>,
    reason: FailureReason,
    RegExp
  ]
  const table: ReadonlyArray<Case> = [
    [
      "-continue, which exits 0",
      [...counter, "INVARIANT Small"],
      { extraArguments: ["-continue"] },
      "Options",
      /-continue/
    ],
    [
      "a state predicate as PROPERTY",
      [...counter, "PROPERTY Even"],
      {},
      "Guard",
      /line 3: PROPERTY Even is a state predicate/
    ],
    ["an empty INVARIANT section", [...counter, "INVARIANT"], {}, "Config", /line 3: INVARIANT names nothing/],
    [
      "an empty PROPERTY section",
      [...counter, "PROPERTY", "INVARIANT InRange"],
      {},
      "Config",
      /PROPERTY names nothing/
    ],
    ["an unknown constant", [...counter, "CONSTANT Mox = 1"], {}, "Guard", /line 3: the constant Mox/],
    [
      "a constant given twice",
      [...counter, "CONSTANT Max = 2"],
      {},
      "Config",
      /line 3: Max is given twice \(first on line 2\)/
    ],
    ["no initial state", steps("NoInit", "Next"), {}, "Suspicious", /no state was found/],
    ["TLCSet exit in an action", steps("Init", "NextOrStop"), {}, "Suspicious", /states were left unexplored/],
    ["liveness with CONSTRAINT", [...fair, "CONSTRAINT Bounded", "PROPERTY ReachesTop"], {}, "Guard", /CONSTRAINT/]
  ]
  it.each(table)("%s", async (_, lines, options, reason, message) => {
    const result = await runModel("Counter", lines, options)

    if (Result.isSuccess(result)) return assert.fail(`it passed: ${JSON.stringify(result.success)}`)
    assert.strictEqual(result.failure.reason, reason)
    assert.match(result.failure.message, message)
  })

  it("the violation of a liveness property under VIEW, which is no violation", async () => {
    const result = await runModel("Counter", [...fair, "VIEW Parity", "PROPERTY ReachesTop"])

    if (Result.isSuccess(result)) return assert.fail(`a verdict: ${JSON.stringify(result.success)}`)
    assert.strictEqual(result.failure.reason, "Guard")
    assert.match(result.failure.message, /together with VIEW/)
  })

  it("liveness with SYMMETRY", async () => {
    const lines = ["SPECIFICATION Spec", "CONSTANTS Nodes = {n1, n2} Start = s", "SYMMETRY Alike", "PROPERTY Emptied"]
    const result = await runModel("Shapes", lines)

    if (Result.isSuccess(result)) return assert.fail(`a verdict: ${JSON.stringify(result.success)}`)
    assert.strictEqual(result.failure.reason, "Guard")
    assert.match(result.failure.message, /together with SYMMETRY/)
  })

  it("a state predicate as PROPERTY of a module that has it from another", async () => {
    const lines = [...counter, "PROPERTY Even"]
    const result = await runModel("Refinement", lines, { propertiesOf: spec("Counter") })

    if (Result.isSuccess(result)) return assert.fail(`a verdict: ${JSON.stringify(result.success)}`)
    assert.strictEqual(result.failure.reason, "Guard")
    assert.match(result.failure.message, /PROPERTY Even is a state predicate/)
  })

  it.runIf(process.platform !== "win32")("a property of which nobody knows whether it is temporal", async () => {
    // A Java that can do everything but tell levels.
    const java = module("java", "").replace(/\.tla$/, "")
    writeFileSync(java, `#!/bin/sh\ncase "$*" in *XMLExporter*) exit 1;; esac\nexec ${toolchain().java} "$@"\n`, {
      mode: 0o755
    })
    const lines = ["SPECIFICATION FairSpec", "CONSTANT Max = 2", "PROPERTY ReachesTop"]
    // Levels are remembered by module, and these were asked for before.
    const model = module("Counter", readFileSync(spec("Counter"), "utf8"))
    const options = { spec: model, config: config(...lines), quick: true }
    const failure = await Effect.runPromise(Effect.flip(check({ ...toolchain(), java }, options)))

    assert.strictEqual(failure.reason, "Guard")
    assert.match(failure.message, /SANY did not say whether ReachesTop/)
  })
})

describeTlc("a failure names its place:", () => {
  type Case = readonly [
    what: string,
    model: string,
    lines: ReadonlyArray<string>,
    expected: {
      readonly reason: FailureReason
      readonly file?: string
      readonly line?: number
      readonly exitCode?: number
    },
    RegExp
  ]
  const plain = ["INIT Init", "NEXT Next"]
  const table: ReadonlyArray<Case> = [
    ["a syntax error", "Broken", plain, { reason: "Parse", file: "Broken.tla", line: 4, exitCode: 150 }, /token "="/],
    [
      "an unknown operator",
      "Unknown",
      plain,
      { reason: "Parse", file: "Unknown.tla", line: 5 },
      /Unknown operator: `Successor'/
    ],
    [
      "a missing module",
      "Missing",
      plain,
      { reason: "Parse", file: "Missing.tla" },
      /source file for module NoSuchModule/
    ],
    [
      "a name the module lacks",
      "Counter",
      [...counter, "INVARIANT Absent"],
      { reason: "Config", exitCode: 151 },
      /Absent/
    ],
    ["a constant without a value", "Counter", ["SPECIFICATION Spec"], { reason: "Config", exitCode: 151 }, /Max/],
    ["a substitution of nothing", "Counter", [...counter, "CONSTANT Mox <- Max"], { reason: "Config" }, /Mox/],
    ["a type error", "Counter", [...counter, "INVARIANT Confused"], {
      reason: "Evaluation",
      file: "Counter.tla",
      line: 35
    }, /integer 1.*last state was 2:/s],
    [
      "a temporal INVARIANT",
      "Counter",
      [...counter, "INVARIANT ReachesTop"],
      { reason: "Evaluation" },
      /not a state predicate/
    ]
  ]
  it.each(table)("%s", async (_, name, lines, expected, message) => {
    const result = await runModel(name, lines)

    if (Result.isSuccess(result)) return assert.fail(`it passed: ${JSON.stringify(result.success)}`)
    assert.match(result.failure.message, message)
    for (const [key, value] of Object.entries(expected)) {
      assert.strictEqual(result.failure[key as keyof typeof expected], value, `${key} of ${result.failure.message}`)
    }
  })

  it("a stack overflow", async () => {
    const result = await runModel("Counter", [...counter, "INVARIANT TooDeep"], { stack: "512k" })

    if (Result.isSuccess(result)) return assert.fail("it passed")
    assert.strictEqual(result.failure.reason, "StackOverflow")
  })

  it("options that cannot be", async () => {
    const valid = { spec: spec("Counter"), config: config(...counter) }
    const wrong: ReadonlyArray<readonly [Partial<CheckOptions>, RegExp]> = [
      [{ spec: "/nowhere/Absent.tla" }, /no module at .*Absent\.tla/],
      [{ config: "absent.cfg" }, /no configuration at .*absent\.cfg/],
      [{ heap: "much" }, /heap must be a size/],
      [{ workers: 0 }, /workers must be a positive integer/]
    ]
    for (const [options, message] of wrong) {
      const failure = await Effect.runPromise(Effect.flip(check(toolchain(), { ...valid, ...options })))
      assert.strictEqual(failure.reason, "Options")
      assert.match(failure.message, message)
    }
  })
})
