import { Result } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import * as Config from "../../src/tlc/Config.ts"
import * as CoreJudge from "./CoreJudge.ts"
import * as CoreMutants from "./CoreMutants.ts"
import { idempotent } from "./idempotent/Subject.ts"
import * as SpecMutants from "./SpecMutants.ts"
import { subjects } from "./Subjects.ts"
import * as Targets from "./Targets.ts"

const home = path.join(import.meta.dirname, "../..")
const read = (file: string): string => fs.readFileSync(path.join(home, file), "utf8")
const names = (mutants: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<string> =>
  mutants.map(({ name }) => name)

describe("mutants of a specification", () => {
  it("a guard is removed, an update is not", () => {
    const module = [
      "Take(p) ==",
      "  LET s == state[p]",
      "      done == s.left = 0 \\* a comment /\\ with a conjunct",
      "  IN /\\ s.queue # <<>>",
      "     /\\ s.open => \\A a \\in s.set \\ {p} : Before(a, p)",
      "     /\\ ~(done /\\ s.idle)",
      "     /\\ Fault(\"Take\")",
      "     /\\ state' = [state EXCEPT ![p].flag = @ \\/ done]",
      "     /\\ IF done THEN Tell(p) ELSE UNCHANGED told",
      "Tell(p) == told' = told \\cup {p}",
      "Next == \\E p \\in Names : Take(p)",
      "Unused == x > 1"
    ].join("\n")

    assert.deepStrictEqual(names(SpecMutants.of(module)), [
      "Take: s.left = 0 → TRUE",
      "Take: s.left = 0 → FALSE",
      "Take: s.queue # <<>> → TRUE",
      "Take: s.open => \\A a \\in s.set \\ {p} : Before(a, p) → TRUE",
      "Take: s.open → TRUE",
      "Take: \\A a \\in s.set \\ {p} : Before(a, p) → FALSE",
      "Take: ~(done /\\ s.idle) → TRUE",
      "Take: done → TRUE",
      "Take: s.idle → TRUE",
      "Take: Fault(\"Take\") → UNCHANGED faults",
      "Take: @ → FALSE",
      "Take: done → FALSE",
      "Take: done → TRUE (2)",
      "Take: done → FALSE (2)"
    ])
  })

  it("an item of a list ends where layout ends it", () => {
    const module = "Next == /\\ \\/ a\n           \\/ b\n        /\\ c"

    const mutants = SpecMutants.of(module)

    assert.deepStrictEqual(mutants.map(({ line, text }) => [line, text]), [
      [1, "Next == /\\ TRUE\n        /\\ c"],
      [1, "Next == /\\ \\/ FALSE\n           \\/ b\n        /\\ c"],
      [2, "Next == /\\ \\/ a\n           \\/ FALSE\n        /\\ c"],
      [3, "Next == /\\ \\/ a\n           \\/ b\n        /\\ TRUE"]
    ])
  })

  /** The conjuncts of each action that are no updates, counted by a reader. */
  const guards = {
    Send: 8,
    Resend: 5,
    ReceiveResponse: 1,
    ExpireBatch: 1,
    ResolveSequences: 2,
    BumpEpoch: 1,
    RestartProducer: 1,
    Disconnect: 2,
    HandleProduce: 1,
    RefuseProduce: 5,
    TimeOutProduce: 2,
    Replicate: 1,
    LeaderChange: 1,
    RestartLeader: 1,
    ExpireProducerState: 2
  }

  it("every guard of every action is among them", () => {
    const text = read("spec/IdempotentProducer.tla")
    const { mutants } = Targets.spec(idempotent)[0]!
    const isRemovedConjunct = ({ line, text: mutated }: { readonly line: number; readonly text: string }): boolean =>
      text !== mutated && /^ *(?:IN )? *\/\\ (?:TRUE|UNCHANGED faults)$/.test(mutated.split("\n")[line - 1]!)

    const counted = Object.fromEntries(
      Object.keys(guards).map((
        action
      ) => [action, mutants.filter((mutant) => mutant.owner === action && isRemovedConjunct(mutant)).length])
    )

    assert.deepStrictEqual(counted, guards)
  })
})

describe("mutants of the code", () => {
  it("every condition is answered both ways, once", () => {
    const text = "const f = (a, b) => { if (a && b > 1) return undefined; return a ? [b].filter((x) => x) : a ?? b }"

    assert.deepStrictEqual(names(CoreMutants.of("M", text)), [
      "M.f: a && b > 1 → true",
      "M.f: a && b > 1 → false",
      "M.f: a → true",
      "M.f: b > 1 → true",
      "M.f: b > 1 → false",
      "M.f: a → true (2)",
      "M.f: a → false",
      "M.f: x → true",
      "M.f: x → false"
    ])
  })

  it("every file of the core that has rules is mutated", () => {
    // The others hold names, sizes, and rules that replace others.
    const left = /^(?:Errors|Limits|Transaction|index)\.ts$|(?:Museum|Releases|Variants)\.ts$/
    // The specification has one group with one offset; its members and many partitions are for the tests of these alone.
    const unspecified = ["Assignor.ts", "ConsumerGroup.ts", "GroupOffsets.ts", "TopicPartition.ts"]
    const core = fs.readdirSync(path.join(home, "src/core")).filter((file) =>
      !left.test(file) && !unspecified.includes(file)
    )
    const targets = subjects.flatMap(Targets.core)

    assert.strictEqual(new Set(targets.map(({ file }) => file)).size, targets.length)
    assert.includeMembers(targets.map(({ file }) => file), core.map((file) => `src/core/${file}`))
    for (const { file, mutants } of targets) assert.isAbove(mutants.length, 1, file)
  })
})

describe("the judge", () => {
  const text = read("spec/models/wrap-small.cfg")
  const graph = fs.readFileSync(path.join(home, "traces/graphs/wrap-small.json.gz"))
  const judge = CoreJudge.make([
    { specification: "IdempotentProducer", name: "wrap-small", text, watched: ["NoLoss"], graph }
  ])
  afterAll(() => judge.close())
  const ask = (change?: CoreJudge.Change): Promise<string | undefined> =>
    judge.withMutant(change, (answer) => answer("wrap-small"))

  it("finds nothing in the code as it is", async () => {
    assert.isUndefined(await ask())
  })

  it.each([
    ["Producer", "Producer.send: !config.idempotence → true"],
    ["Replica", "Replica.validate: duplicate !== undefined → false"],
    ["Sequence", "Sequence.increment: sequence > maxSequence - count → false"]
  ])("kills a mutant of %s", async (module, name) => {
    const file = `core/${module}.ts`
    const mutant = CoreMutants.of(module, read(`src/${file}`)).find((candidate) => candidate.name === name)

    assert.isDefined(mutant)
    assert.isDefined(await ask({ file, text: mutant.text }))
  })
})

describe("the sweep", () => {
  it("lists only mutants that exist, once, each with a reason", () => {
    const targets = subjects.flatMap((subject) => [...Targets.spec(subject), ...Targets.core(subject)])
    const known = new Map(targets.map(({ file, mutants }) => [file, names(mutants)]))
    const listed = Targets.equivalents()

    for (const { file, name, reason } of listed) {
      assert.include(known.get(file) ?? [], name)
      assert.isAbove(reason.length, 20, name)
    }
    assert.strictEqual(new Set(listed.map(({ file, name }) => `${file} ${name}`)).size, listed.length)
  })

  it("has configurations that can be read", () => {
    const configurations = subjects.flatMap((subject) => subject.configurations)
    for (const { text } of configurations) assert.isTrue(Result.isSuccess(Config.parse(text)))
    assert.strictEqual(new Set(names(configurations)).size, configurations.length)
  })
})
