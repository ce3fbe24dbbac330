import { describe, expect, it } from "vitest"
import { models } from "../../src/model/Models.ts"
import { configurations, isComplete, subjects } from "./specifications.ts"
import * as Table from "./table.ts"

const subject = (specification: string): Table.Subject =>
  subjects.find((candidate) => candidate.specification === specification)!

const idempotent = subject("IdempotentProducer")
const { actions, core, overriding, properties, readme, tla } = idempotent

const withReadme = (text: string): Table.Subject => ({ ...idempotent, readme: text })
const withSpec = (text: string): Table.Subject => ({ ...idempotent, tla: text, behaviour: text })

/** A text with one change; the change must apply, or the test would prove nothing. */
const changed = (text: string, from: string, to: string): string => {
  expect(text).toContain(from)
  return text.replace(from, to)
}

const withoutLine = (text: string, start: string): string => {
  const lines = text.split("\n")
  const kept = lines.filter((line) => !line.startsWith(start))
  expect(kept.length).toBeLessThan(lines.length)
  return kept.join("\n")
}

const checks: Readonly<Record<string, (subject: Table.Subject) => ReadonlyArray<string>>> = {
  "the actions of Next": Table.checkActions,
  "the rules": Table.checkRules,
  "what replaces rules": Table.checkOverrides,
  "the properties": Table.checkProperties,
  "the constants": Table.checkConstants,
  "Kafka's rules": Table.checkKafkaRules,
  "the history variables": Table.checkHistory
}

describe.each(subjects)("what README says of $specification", (one) => {
  it.each(Object.entries(checks))("agrees with spec and code on %s", (_, check) => {
    expect(check(one)).toEqual([])
  })
})

describe("README", () => {
  it("speaks of every specification that has a model, once", () => {
    const spoken = subjects.map(({ specification }) => specification)

    expect(spoken.toSorted()).toEqual(models.map(({ specification }) => specification).toSorted())
  })

  it("speaks of no configuration twice", () => {
    const owned = subjects.flatMap((one) => Object.keys(one.configurations))

    expect(new Set(owned).size).toBe(owned.length)
    for (const one of subjects) expect(Object.keys(one.configurations).length).toBeGreaterThan(3)
  })

  it.runIf(isComplete)("speaks of every configuration", () => {
    const owned = subjects.flatMap((one) => Object.keys(one.configurations))

    expect(Object.keys(configurations).filter((name) => !owned.includes(name))).toEqual([])
  })

  const page = "# A\n\nfirst\n\n## B\n\nsecond\n\n### C\n\n## D\n\nthird\n"

  it("is one part per specification, and the rest", () => {
    expect(Table.headings(page)).toEqual(["B", "D"])
    expect(Table.chapter(page, "B")).toBe("## B\n\nsecond\n\n### C\n\n")
    expect(Table.chapter(page, "C")).toBe("")
    expect(Table.without(page, ["B", "E"])).toBe("# A\n\nfirst\n\n## D\n\nthird\n")
  })
})

describe("a module", () => {
  const module = [
    "EXTENDS Integers, Sequences",
    "CONSTANTS",
    "  A, \\* first",
    "  B  \\* second",
    "",
    "ASSUME A \\in Nat",
    "",
    "CONSTANT C  \\* third",
    "",
    "ASSUME",
    "  /\\ A < B \\* and not C",
    "",
    "Next ==",
    "  \\/ Begin",
    "  \\/ \\E a \\in 1..A, b \\in {x \\in 1..B : TRUE} :",
    "        Write(a, b)",
    "  \\/ \\E a \\in 1..A : Write(a, 0)",
    ""
  ].join("\n")

  it("has constants in several places, and assumptions about some", () => {
    expect(Table.extended(module)).toEqual(["Integers", "Sequences"])
    expect(Table.constants(module)).toEqual(["A", "B", "C"])
    expect(Table.assumedConstants(module)).toEqual(["A", "B"])
  })

  it("has each action of a choice once", () => {
    expect(Table.actionsOf(module, "Next")).toEqual(["Begin", "Write"])
    expect(Table.actionsOf(module, "Refusals")).toEqual([])
  })

  it("is that of a configuration which gives its constants a value", () => {
    const configuration = "CONSTANTS\n  A = 1\n  B = {\"C = 1\"}\n  \\* C = 1\n"

    expect(Table.assigns(configuration, ["A", "B"])).toBe(true)
    expect(Table.assigns(configuration, ["A", "C"])).toBe(false)
  })
})

describe("a specification with a chapter of its own", () => {
  const readCommitted = subject("ReadCommitted")

  it("is not mixed up with the rest of the page", () => {
    expect(Table.checkActions({ ...readCommitted, readme })).toContain("action WriteRecord of Next has no row")
    expect(Table.checkActions({ ...idempotent, readme: readCommitted.readme })).toContain(
      "ParkFetch has a row and is no action of Next"
    )
  })

  it("has an action, a rule and a property without a row found", () => {
    const lacking = (row: string): Table.Subject => ({
      ...readCommitted,
      readme: withoutLine(readCommitted.readme, `| \`${row}\` |`)
    })

    expect(Table.checkActions(lacking("ParkFetch"))).toEqual(["action ParkFetch of Next has no row"])
    expect(Table.checkRules(lacking("AfterMarker"))).toEqual(["rule AfterMarker has no row"])
    expect(Table.checkProperties(lacking("NoLoss"))).toEqual([
      "property NoLoss of src/model/readCommitted/Properties.ts has no row",
      "property NoLoss of a configuration has no row"
    ])
    expect(Table.checkProperties(lacking("NoAbortedRead"))).toContain(
      "property NoAbortedRead of a configuration has no row"
    )
  })

  it("has a row without its counterpart found", () => {
    const lacking = (from: string, to: string): Table.Subject => ({
      ...readCommitted,
      tla: changed(readCommitted.tla, from, to)
    })

    expect(Table.checkActions(lacking("  \\/ ParkFetch\n", ""))).toContain(
      "ParkFetch has a row and is no action of Next"
    )
    expect(Table.checkRules(lacking("\nAbortedOfParked(", "\nListOfParked("))).toContain(
      "AbortedOfParked has a row and is no operator of the section RULES"
    )
    expect(Table.checkProperties(lacking("\nInOrder ==", "\nOrdered =="))).toContain(
      "InOrder has a row and is no operator of the spec"
    )
  })

  it("has rules in a module of the core of its own", () => {
    const elsewhere = changed(readCommitted.readme, "`FetchRules.IsAbortedIn` | an", "`Rules.IsAbortedIn` | an")

    expect(Table.checkRules({ ...readCommitted, readme: elsewhere })).toEqual([
      "src/core has no Rules.IsAbortedIn",
      "the row of `IsAbortedIn` does not name the function of that name"
    ])
    expect(Table.checkRules({ ...readCommitted, rules: "Rules" })).toContain(
      "rule IsAbortedIn is missing in src/core/Rules.ts"
    )
  })
})

describe("actions", () => {
  it("agree between Next, README, the core and the model", () => {
    expect(Table.actionsOf(tla, "Next").length).toBeGreaterThanOrEqual(15)
    expect(Table.checkActions(idempotent)).toEqual([])
  })

  it("an action without a row is found", () => {
    const doctored = withoutLine(readme, "| `Resend` |")

    expect(Table.checkActions(withReadme(doctored))).toEqual(["action Resend of Next has no row"])
  })

  it("a row without an action is found", () => {
    const doctored = changed(tla, "  \\/ BumpEpoch\n", "")

    expect(Table.checkActions(withSpec(doctored))).toEqual([
      "BumpEpoch has a row and is no action of Next",
      "action BumpEpoch of src/model/idempotent/Actions.ts is missing in Next"
    ])
  })

  it("a new action of the spec that nothing else has is found", () => {
    const doctored = changed(tla, "  \\/ BumpEpoch\n", "  \\/ BumpEpoch\n  \\/ \\E p \\in Partitions : Forget(p)\n")

    expect(Table.checkActions(withSpec(doctored))).toEqual([
      "action Forget of Next has no row",
      "action Forget of Next is missing in src/model/idempotent/Actions.ts"
    ])
  })

  it("an action that the model lacks, or orders otherwise, is found", () => {
    const lacking = changed(actions, "  LeaderChange,\n", "")
    const reordered = changed(actions, "  Send,\n  Resend,\n", "  Resend,\n  Send,\n")

    expect(Table.checkActions({ ...idempotent, actions: lacking })).toEqual([
      "action LeaderChange of Next is missing in src/model/idempotent/Actions.ts"
    ])
    expect(Table.checkActions({ ...idempotent, actions: reordered })).toEqual([
      "src/model/idempotent/Actions.ts and Next have their actions in different orders"
    ])
  })

  it("a core function, module or input that does not exist is found", () => {
    const renamed = changed(readme, "`Producer.resend`, input `Resend`", "`Producer.again`, input `Again`")
    const moved = changed(readme, "`Partition.timeOutProduce`, input", "`Purgatory.timeOutProduce`, input")
    const unnamed = changed(readme, "| `Producer.restart`, called by the host |", "| the host |")

    expect(Table.checkActions(withReadme(renamed))).toEqual([
      "src/core has no Producer.again",
      "Producer has no input Again"
    ])
    expect(Table.checkActions(withReadme(moved))).toEqual([
      "src/core has no Purgatory.timeOutProduce",
      "Purgatory has no input TimeOutProduce"
    ])
    expect(Table.checkActions(withReadme(unnamed))).toEqual([
      "the row of `RestartProducer` names no core function"
    ])
  })

  it("two rows for one action are found", () => {
    const row = readme.split("\n").find((line) => line.startsWith("| `Send` |"))!

    expect(Table.checkActions(withReadme(changed(readme, row, `${row}\n${row}`)))).toEqual([
      "Send has two rows"
    ])
  })

  it("a Next that cannot be read is not taken for an empty one", () => {
    expect(Table.checkActions(withSpec(changed(tla, "\nNext ==\n", "\nNeXt ==\n")))).toEqual([
      "no actions found in Next"
    ])
  })
})

describe("rules", () => {
  it("agree between the section RULES, README and the core", () => {
    expect(Table.checkRules(idempotent)).toEqual([])
  })

  it("a rule that the core lacks is found", () => {
    const doctored = changed(tla, "IsFirstSequence(sequence) == sequence = 0", "StartsWell(sequence) == sequence = 0")

    expect(Table.checkRules(withSpec(doctored))).toEqual([
      "rule StartsWell has no row",
      "IsFirstSequence has a row and is no operator of the section RULES",
      "rule StartsWell is missing in src/core/Rules.ts",
      "rule IsFirstSequence of src/core/Rules.ts is missing in the section RULES"
    ])
  })

  it("a rule of the core that the spec lacks is found", () => {
    const rules = changed(
      core["Rules"]!,
      "export interface Rules {\n",
      "export interface Rules {\n  readonly Extra: () => void\n"
    )

    expect(Table.checkRules({ ...idempotent, core: { ...core, Rules: rules } })).toEqual([
      "rule Extra of src/core/Rules.ts is missing in the section RULES"
    ])
  })

  it("a rule without a row, or with the function of another, is found", () => {
    const other = changed(readme, "| `Rules.IsRetriable` |", "| `Rules.ProvesNotWritten` |")

    expect(Table.checkRules(withReadme(withoutLine(readme, "| `IsRetriable` |")))).toEqual([
      "rule IsRetriable has no row"
    ])
    expect(Table.checkRules(withReadme(other))).toEqual([
      "the row of `IsRetriable` does not name the function of that name"
    ])
  })

  it("a rule cannot be passed off as a helper while the core has it", () => {
    const doctored = changed(readme, "| `Rules.MayBumpEpoch` |", "| `Sender.sequenced`, helper |")

    expect(Table.checkRules(withReadme(doctored))).toEqual([
      "rule MayBumpEpoch of src/core/Rules.ts is missing in the section RULES"
    ])
  })
})

describe("overrides", () => {
  it("are named in the rows of the rules they replace", () => {
    expect(Object.keys(overriding).length).toBeGreaterThanOrEqual(9)
    expect(Table.checkOverrides(idempotent)).toEqual([])
  })

  it("an exhibit that no row names is found", () => {
    const exhibit = { New_1: "---- MODULE New_1 ----\nIsRetriable_New_1(error) == TRUE\n====" }

    expect(Table.checkOverrides({ ...idempotent, overriding: { ...overriding, ...exhibit } })).toEqual([
      "the row of IsRetriable does not name New_1, which replaces it"
    ])
  })

  it("an exhibit that replaces nothing, or is blamed for what it does not do, is found", () => {
    const exhibit = { New_1: "---- MODULE New_1 ----\nIsRetryable_New_1(error) == TRUE\n====" }
    const blamed = changed(readme, "wrote nothing | – |", "wrote nothing | `KAFKA_7693` |")

    expect(Table.checkOverrides({ ...idempotent, overriding: { ...overriding, ...exhibit } })).toEqual([
      "IsRetryable_New_1 of New_1 replaces no rule"
    ])
    expect(Table.checkOverrides(withReadme(blamed))).toEqual([
      "the row of ProvesNotWritten names KAFKA_7693, which does not replace it"
    ])
  })
})

describe("properties", () => {
  it("agree between the spec, README, the model and the configurations", () => {
    expect(Table.checkProperties(idempotent)).toEqual([])
  })

  it("a property of the code that the spec lacks is found", () => {
    const doctored = changed(properties, "stepProperties = { ", "stepProperties = { Fences, ")

    expect(Table.checkProperties({ ...idempotent, properties: doctored })).toEqual([
      "property Fences of src/model/idempotent/Properties.ts is missing in the spec",
      "property Fences of src/model/idempotent/Properties.ts has no row"
    ])
  })

  it("a row whose property is gone is found", () => {
    const doctored = changed(tla, "\nNoGap == ", "\nNoHole == ")

    expect(Table.checkProperties(withSpec(doctored))).toEqual([
      "property NoGap of src/model/idempotent/Properties.ts is missing in the spec",
      "NoGap has a row and is no operator of the spec"
    ])
  })

  it("a property that only a configuration has is found", () => {
    const configuration = "CONSTANTS\n  Acks = \"all\"\nINVARIANTS\n  NoLoss \\* and\n  Quiet\nCHECK_DEADLOCK FALSE\n"

    expect(Table.checkedProperties(configuration)).toEqual(["NoLoss", "Quiet"])
    expect(Table.checkProperties({ ...idempotent, configurations: { new: configuration } })).toEqual([
      "property Quiet of a configuration has no row"
    ])
  })

  it("a wrong place in the code is found", () => {
    const claimed = changed(
      readme,
      "| TLC only; it speaks of whole behaviours |",
      "| `Properties.EveryRecordDecided` |"
    )
    const denied = changed(readme, "| `Properties.InOrder` |", "| TLC only |")

    expect(Table.checkProperties(withReadme(claimed))).toEqual([
      "EveryRecordDecided is not in the code"
    ])
    expect(Table.checkProperties(withReadme(denied))).toEqual([
      "the row of InOrder says \"TLC only\", but the code has it"
    ])
  })
})

describe("constants", () => {
  it("agree between the spec and README", () => {
    expect(Table.assumedConstants(tla)).toContain("FaultKinds")
    expect(Table.checkConstants(idempotent)).toEqual([])
  })

  it("a constant without a row is found", () => {
    expect(Table.checkConstants(withReadme(withoutLine(readme, "| `DedupWindow` |")))).toEqual([
      "constant DedupWindow is restricted by ASSUME and has no row"
    ])
    expect(Table.checkConstants(withReadme(withoutLine(readme, "| `Partitions` |")))).toEqual([
      "constant Partitions has no row"
    ])
  })

  it("a row without a constant is found", () => {
    const doctored = changed(tla, "  MaxEpoch,            \\* the last producer epoch before a new producer id\n", "")

    expect(Table.checkConstants(withSpec(doctored))).toEqual(["MaxEpoch has a row and is no constant"])
  })
})

describe("Kafka's rules", () => {
  it("stand where README says", () => {
    expect(Table.checkKafkaRules(idempotent)).toEqual([])
  })

  it("a place that does not exist is found", () => {
    const operator = changed(readme, "| `Duplicates`, `Accept` |", "| `Copies`, `Accept` |")
    const functionName = changed(readme, "`Replica.findDuplicate`, `Partition.accept`", "`Replica.findCopy`")

    expect(Table.checkKafkaRules(withReadme(operator))[0]).toMatch(
      /^Copies in the row ".*" is no operator of the spec$/
    )
    expect(Table.checkKafkaRules(withReadme(functionName))).toEqual(["src/core has no Replica.findCopy"])
  })

  it("a row with neither a place nor a reason is found", () => {
    const doctored = changed(readme, "| – | – | left out: says nothing about delivery |", "| – | – | |")

    expect(Table.checkKafkaRules(withReadme(doctored))).toEqual([
      "the row \"the topic is not internal (17)\" has neither a place nor a reason, or both"
    ])
  })
})

describe("history", () => {
  const none = "History variables (ghosts): none."
  const listed = "History variables (ghosts): `ghostSent`."
  const declaration = "  faults          \\* how many more faults may happen\n"
  const declaring = `${declaration.replace("faults  ", "faults, ")}`
    + "  ghostSent       \\* ghost: what was ever sent\n"
  const updating = "     /\\ Transmit(p, numbered, b)\n"
  const update = `${updating}     /\\ ghostSent' = ghostSent \\cup {b}\n`
  const guard = `${updating}     /\\ b \\notin ghostSent\n`
  const both = `${updating}     /\\ b \\notin ghostSent /\\ ghostSent' = ghostSent \\cup {b}\n`

  it("README lists the variables that the spec declares so, and no action reads them", () => {
    expect(Table.checkHistory(idempotent)).toEqual([])
  })

  it("an update is no read, a guard is", () => {
    const declared = changed(tla, declaration, declaring)
    const telling = withReadme(changed(readme, none, listed))

    expect(Table.checkHistory({ ...telling, behaviour: changed(declared, updating, update) })).toEqual([])
    expect(Table.checkHistory({ ...telling, behaviour: changed(declared, updating, guard) })).toEqual([
      "ghostSent is history and read by an action: /\\ b \\notin ghostSent"
    ])
    expect(Table.checkHistory({ ...telling, behaviour: changed(declared, updating, both) })).toHaveLength(1)
  })

  it.each([
    ["a new value", "ghostSent' =\n          ghostSent \\cup {b}", 0],
    ["itself but for a part", "Tell([ghostSent EXCEPT ![p] = @ \\cup {b}])", 0],
    [
      "the field of a record",
      "Tell([batch |-> b, ghostSent |-> IF TRUE THEN Add(ghostSent, {b, p}) ELSE ghostSent])",
      0
    ],
    ["a field before a guard", "Tell([ghostSent |-> ghostSent \\cup {b}, isSent |-> b \\in ghostSent])", 1],
    ["a new value before a guard", "ghostSent' = {b}\n     /\\ ghostSent # {}", 1],
    ["a field in a guard", "[ghostSent |-> {}] = [ghostSent |-> {}] /\\ ghostSent # {}", 1]
  ])("%s is judged by where it ends", (_, conjunct, reads) => {
    const declared = changed(tla, declaration, declaring)
    const telling = withReadme(changed(readme, none, listed))
    const behaviour = changed(declared, updating, `${updating}     /\\ ${conjunct}\n`)

    expect(Table.checkHistory({ ...telling, behaviour })).toHaveLength(reads)
  })

  it("a difference between README and the declarations is found", () => {
    const declared = changed(tla, declaration, declaring)

    expect(Table.checkHistory(withSpec(declared))).toEqual(["ghostSent is declared as history and not listed"])
    expect(Table.checkHistory(withReadme(changed(readme, none, listed)))).toContain(
      "ghostSent is listed as history and is no variable"
    )
    expect(Table.checkHistory(withReadme(changed(readme, none, "")))).toEqual([
      "README does not say which variables are history"
    ])
  })

  it("a variable cannot be called history while actions read it", () => {
    const doctored = changed(readme, none, "History variables (ghosts): `leader`.")

    const complaints = Table.checkHistory(withReadme(doctored))

    expect(complaints[0]).toBe("leader is listed as history, and its declaration does not say so")
    expect(complaints.length).toBeGreaterThan(5)
  })
})
