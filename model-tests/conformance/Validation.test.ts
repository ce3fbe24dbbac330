import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type * as EventLog from "../../src/conformance/EventLog.ts"
import * as StateDiff from "../../src/conformance/StateDiff.ts"
import * as Validation from "../../src/conformance/Validation.ts"
import { model, type World } from "../../src/model/idempotent/index.ts"
import { render } from "../../src/model/Model.ts"
import { configuration as make } from "../model/idempotent/support.ts"

const configuration = make({ FaultBudget: 2 })

type Observing = Required<Omit<EventLog.Line, "places">>

/** A run that takes the steps that the choices say, with the whole state at every line. */
const run = (choices: ReadonlyArray<number>, of = configuration): ReadonlyArray<Observing> => {
  const log: Array<Observing> = []
  let world = model.initial(of)
  for (const choice of choices) {
    const steps = model.successors(of, world)
    if (steps.length === 0) break
    const { action, arguments: instance, world: next } = steps[choice % steps.length]!
    log.push({ action, arguments: instance, observed: model.encode(of, next) })
    world = next
  }
  return log
}

const anyRun = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 30, size: "max" }).map((choices) => run(choices))

const withoutStates = (log: ReadonlyArray<EventLog.Line>): ReadonlyArray<EventLog.Line> =>
  log.map(({ action, arguments: instance }) => ({ action, arguments: instance }))

const validate = (
  log: Iterable<EventLog.Line>,
  options: Partial<Validation.Options<typeof configuration, World.World>> = {}
) => Validation.validate({ model, configuration, ...options }, log)

const rejected = (verdict: Validation.Verdict<World.World>): Validation.Rejected<World.World> =>
  verdict._tag === "Rejected" ? verdict : assert.fail(Validation.summarize(verdict))

const line = (action: string, ...instance: ReadonlyArray<string | number>): EventLog.Line => ({
  action,
  arguments: instance
})

/** One batch, sent, written, replicated and acknowledged. */
const delivery = [
  line("Send", "p1"),
  line("HandleProduce", "p1", 0),
  line("Replicate", "p1"),
  line("ReceiveResponse", "p1")
]

describe("the log of a run", () => {
  it("is accepted, with every state and with none", () => {
    fc.assert(fc.property(anyRun, (log) => {
      for (const written of [log, withoutStates(log)]) {
        const verdict = validate(written)

        if (verdict._tag !== "Accepted") return assert.fail(Validation.summarize(verdict))
        assert.strictEqual(verdict.lines, log.length)
        assert.deepStrictEqual(model.encode(configuration, verdict.world), log.at(-1)!.observed)
        for (const [action, count] of Object.entries(verdict.actions)) {
          assert.strictEqual(count, log.filter((one) => one.action === action).length)
        }
      }
    }))
  })

  it("is accepted without the model's own way to one action", () => {
    const { apply: _, ...slow } = model
    const log = run([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])

    assert.deepStrictEqual(validate(log, { model: slow }), validate(log))
  })

  it("with a line lost is accepted only where a run could be without it", () => {
    let lost = 0
    fc.assert(
      fc.property(anyRun, fc.nat(), (log, choice) => {
        const at = choice % log.length
        const verdict = validate(withoutStates(log).toSpliced(at, 1))

        if (log.length === 1) assert.strictEqual(rejected(verdict).reason, "empty log")
        else if (verdict._tag === "Rejected") {
          lost++
          assert.strictEqual(verdict.reason, "not enabled")
          assert.isAbove(verdict.line, at)
          assert.notInclude(verdict.allowed, verdict.step)
        }
      }),
      { seed: 1 }
    )
    assert.isAbove(lost, 30)
  })

  it("with a line lost and all states is rejected at the line behind it, unless that line comes to the same", () => {
    fc.assert(fc.property(anyRun, fc.nat(), (log, choice) => {
      fc.pre(log.length > 1)
      const at = choice % (log.length - 1)
      const before = at === 0 ? model.initial(configuration) : validate(log.slice(0, at)).world
      const next = log[at + 1]!
      const without = model.successors(configuration, before).find((step) => render(step) === render(next))
      fc.pre(
        without === undefined
          || StateDiff.between(model.encode(configuration, without.world), next.observed).length > 0
      )

      const { line } = rejected(validate(log.toSpliced(at, 1)))

      assert.strictEqual(line, at + 1)
    }))
  })

  it("with another value in one place is rejected there, with the place and no other", () => {
    fc.assert(fc.property(anyRun, fc.nat(), (log, choice) => {
      const at = choice % log.length
      const { action, arguments: instance, observed } = log[at]!
      const faults = observed["faults"] as number

      const verdict = rejected(validate(log.with(at, { ...log[at]!, observed: { ...observed, faults: faults + 7 } })))

      assert.deepInclude(verdict, {
        line: at + 1,
        step: render({ action, arguments: instance }),
        reason: "other state",
        closest: render({ action, arguments: instance }),
        differences: [{ path: "faults", expected: String(faults + 7), actual: String(faults) }]
      })
      assert.include(verdict.allowed, verdict.step)
    }))
  })

  it("with the name of another action is rejected, and told which it was", () => {
    const log = run([0, 0, 0, 0])

    const verdict = rejected(validate(log.with(2, { ...log[2]!, action: "BumpEpoch", arguments: [] })))

    assert.deepInclude(verdict, {
      line: 3,
      step: "BumpEpoch",
      reason: "not enabled",
      closest: render(log[2]!),
      differences: []
    })
    assert.include(Validation.summarize(verdict), `what was observed is what ${render(log[2]!)} leads to`)
  })
})

describe("a log", () => {
  it("without lines is refused, and says what could have been", () => {
    assert.deepInclude(rejected(validate([])), {
      line: 0,
      step: undefined,
      reason: "empty log",
      allowed: ["Send(p1)", "ExpireBatch(p1, 1)", "LeaderChange(p1)"],
      differences: []
    })
    assert.include(Validation.summarize(validate([])), "the log is empty")
  })

  type Reason = Validation.Rejected<World.World>["reason"]
  const rows: Readonly<Record<string, readonly [reason: Reason, at: number, ...log: ReadonlyArray<EventLog.Line>]>> = {
    "of an action that does not exist": ["unknown action", 1, line("Teleport", "p1")],
    "of a property of objects": ["unknown action", 1, line("toString")],
    "with an argument too few": ["not enabled", 1, line("Send")],
    "with an argument too many": ["not enabled", 1, line("Send", "p1", 1)],
    "about a partition that does not exist": ["not enabled", 1, line("Send", "p9")],
    "of an action at the wrong time": ["not enabled", 2, line("Send", "p1"), line("Replicate", "p1")],
    "of an action once too often": ["not enabled", 3, line("Send", "p1"), line("Send", "p1"), line("Send", "p1")],
    "on a connection that is not there": ["not enabled", 2, line("Send", "p1"), line("HandleProduce", "p1", 1)],
    "with more faults than may happen": [
      "not enabled",
      3,
      line("LeaderChange", "p1"),
      line("LeaderChange", "p1"),
      line("LeaderChange", "p1")
    ],
    "with a variable that does not exist": ["unknown variable", 1, { ...line("Send", "p1"), observed: { fault: 2 } }]
  }
  for (const [name, [reason, at, ...log]] of Object.entries(rows)) {
    it(`${name} is rejected at line ${at}: ${reason}`, () => {
      const verdict = rejected(validate([...log, line("Send", "p1")]))

      assert.deepInclude(verdict, { line: at, reason, step: render(log[at - 1]!) })
      assert.deepStrictEqual(verdict.allowed, model.successors(configuration, verdict.world).map(render))
      assert.isNotEmpty(verdict.allowed)
    })
  }

  it("may begin in another world", () => {
    const middle = validate(delivery.slice(0, 2))

    assert.strictEqual(validate(delivery.slice(2), { from: middle.world })._tag, "Accepted")
    assert.strictEqual(rejected(validate(delivery.slice(2))).line, 1)
  })

  it("is not read further than it is accepted", () => {
    function* log() {
      yield line("Replicate", "p1")
      assert.fail("read on")
    }

    assert.strictEqual(rejected(validate(log())).line, 1)
  })

  it("is followed line by line, and its end stays", () => {
    const validator = Validation.make({ model, configuration })

    assert.strictEqual(rejected(validator.verdict()).reason, "empty log")
    assert.isTrue(validator.observe(delivery[0]!))
    assert.deepInclude(validator.verdict(), { _tag: "Accepted", lines: 1 })
    assert.isFalse(validator.observe(delivery[3]!))
    assert.isFalse(validator.observe(delivery[1]!))
    assert.deepInclude(rejected(validator.verdict()), { line: 2, step: "ReceiveResponse(p1)" })
  })
})

describe("a step that is not enabled", () => {
  const obstacleOf = (log: ReadonlyArray<EventLog.Line>) => rejected(validate(log)).obstacle
  const send = line("Send", "p1")

  it("of an action that does not exist has no other obstacle", () => {
    assert.deepStrictEqual(obstacleOf([line("Teleport", "p1")]), { _tag: "NoSuchAction" })
  })

  it("is told with which other arguments it is", () => {
    const verdict = rejected(validate([send, line("HandleProduce", "p1", 1)]))

    assert.deepStrictEqual(verdict.obstacle, { _tag: "OtherArguments", possible: ["HandleProduce(p1, 0)"] })
    assert.include(Validation.summarize(verdict), "possible with other arguments: HandleProduce(p1, 0)")
  })

  it("before its time is told the steps that lead there, and what they change", () => {
    const verdict = rejected(validate([send, line("Replicate", "p1")]))

    assert.deepInclude(verdict.obstacle, { _tag: "Early", after: ["HandleProduce(p1, 0)"] })
    const { differences } = verdict.obstacle as Validation.Obstacle & { _tag: "Early" }
    assert.includeDeepMembers([...differences], [{
      path: "requests.p1[1]",
      expected: "absent",
      actual: differences.find(({ path }) => path === "requests.p1[1]")!.actual
    }])
    assert.include(Validation.summarize(verdict), "it would be possible after HandleProduce(p1, 0), where is")
  })

  it("after its time is told the line that took it away, and what that changed", () => {
    const log = [send, send, line("LeaderChange", "p1"), line("LeaderChange", "p1")]
    const verdict = rejected(validate([...log, line("LeaderChange", "p1")]))

    assert.deepInclude(verdict, { line: 5 })
    assert.deepInclude(verdict.obstacle, { _tag: "Late", line: 4, step: "LeaderChange(p1)" })
    const { differences } = verdict.obstacle as Validation.Obstacle & { _tag: "Late" }
    assert.deepInclude(differences, { path: "faults", expected: "1", actual: "0" })
    assert.include(
      Validation.summarize(verdict, (number) => number + 1),
      "until line 5, LeaderChange(p1), before which was"
    )
  })

  it("with nothing that leads there says no more", () => {
    assert.isUndefined(obstacleOf([line("ResolveSequences", "p9")]))
  })
})

describe("a place that was observed", () => {
  const at = (value: number | boolean, ...path: EventLog.Place["path"]): ReadonlyArray<EventLog.Line> => [
    { ...line("Send", "p1"), places: [{ path, value }] }
  ]

  it("is compared, and nothing besides", () => {
    assert.strictEqual(validate(at(1, "sender", "p1", "nextSequence"))._tag, "Accepted")
    assert.strictEqual(validate(at(0, "sender", "p1", "batches", 1, "sequence"))._tag, "Accepted")
  })

  it("that is otherwise, or not there, is a difference under its path", () => {
    const other = rejected(validate(at(7, "sender", "p1", "nextSequence")))
    const nowhere = rejected(validate(at(7, "sender", "p1", "batches", 9, "sequence")))

    assert.deepInclude(other, {
      line: 1,
      reason: "other state",
      differences: [{ path: "sender.p1.nextSequence", expected: "7", actual: "1" }]
    })
    assert.deepInclude(nowhere, {
      line: 1,
      reason: "other state",
      differences: [{ path: "sender.p1.batches[9].sequence", expected: "7", actual: "absent" }]
    })
  })

  it("in a variable that does not exist is refused", () => {
    assert.deepInclude(rejected(validate(at(7, "senders", "p1"))), { line: 1, reason: "unknown variable" })
  })
})

describe("a property that is watched", () => {
  /** With acks=1, a leader that changes before the follower has fetched has lost what it acknowledged. */
  const acks1 = make({ Acks: "1", Idempotence: false, FaultBudget: 1 })
  const loss = [
    line("Send", "p1"),
    line("HandleProduce", "p1", 0),
    line("ReceiveResponse", "p1"),
    line("LeaderChange", "p1")
  ]

  it("is violated at the line that violates it", () => {
    const options = { model, configuration: acks1 }

    const verdict = Validation.validate({ ...options, properties: ["InOrder", "NoLoss"] }, [
      ...loss,
      line("Send", "p1")
    ])

    assert.deepInclude(verdict, { _tag: "Violating", line: 4, step: "LeaderChange(p1)", property: "NoLoss" })
    assert.strictEqual(Validation.summarize(verdict), "line 4: LeaderChange(p1) violates NoLoss")
    assert.deepInclude(Validation.validate(options, loss), { _tag: "Accepted", lines: 4 })
  })

  it("may be one of steps", () => {
    const stepProperties = {
      NothingIsSent: (_: unknown, from: World.World, to: World.World) => from.requests === to.requests
    }
    const options = { model: { ...model, stepProperties }, configuration, properties: ["NothingIsSent"] }

    assert.deepInclude(Validation.validate(options, [line("LeaderChange", "p1"), ...delivery]), {
      _tag: "Violating",
      line: 2,
      property: "NothingIsSent"
    })
    assert.deepInclude(Validation.validate(options, [line("LeaderChange", "p1")]), { _tag: "Accepted", lines: 1 })
  })

  it("must be one that the code has", () => {
    assert.throws(() => Validation.make({ model, configuration, properties: ["NoLoss", "Fame"] }), /no Fame in code/)
  })
})
