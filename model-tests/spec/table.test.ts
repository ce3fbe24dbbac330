import { readdirSync, readFileSync } from "node:fs"
import { basename, extname, join } from "node:path"
import { describe, expect, it } from "vitest"
import * as Table from "./table.ts"

const root = join(import.meta.dirname, "../..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** The files of a folder with this extension, by name; with those of its folders if `deep`. */
const readAll = (folder: string, extension: string, deep = false): Table.Texts =>
  Object.fromEntries(
    readdirSync(join(root, folder), { recursive: deep, encoding: "utf8" })
      .filter((file) => extname(file) === extension)
      .map((file) => [deep ? file : basename(file, extension), read(join(folder, file))])
  )

const readme = read("spec/README.md")
const tla = read("spec/IdempotentProducer.tla")
const core = readAll("src/core", ".ts")
const actions = read("src/model/idempotent/Actions.ts")
const properties = read("src/model/idempotent/Properties.ts")
const extending = Object.fromEntries(
  Object.entries({ ...readAll("spec", ".tla"), ...readAll("spec/museum", ".tla") })
    .filter(([, text]) => /^EXTENDS IdempotentProducer$/m.test(text))
)
const configurations = Object.fromEntries(
  Object.entries({ ...readAll("spec/models", ".cfg", true), ...readAll("spec/museum", ".cfg") })
    .filter(([, text]) => text.includes("StartSequence"))
)

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

describe("actions", () => {
  it("agree between Next, README, the core and the model", () => {
    expect(Table.actionsOfNext(tla).length).toBeGreaterThanOrEqual(15)
    expect(Table.checkActions(readme, tla, core, actions)).toEqual([])
  })

  it("an action without a row is found", () => {
    const doctored = withoutLine(readme, "| `Resend` |")

    expect(Table.checkActions(doctored, tla, core, actions)).toEqual(["action Resend of Next has no row"])
  })

  it("a row without an action is found", () => {
    const doctored = changed(tla, "  \\/ BumpEpoch\n", "")

    expect(Table.checkActions(readme, doctored, core, actions)).toEqual([
      "BumpEpoch has a row and is no action of Next",
      "action BumpEpoch of src/model/idempotent/Actions.ts is missing in Next"
    ])
  })

  it("a new action of the spec that nothing else has is found", () => {
    const doctored = changed(tla, "  \\/ BumpEpoch\n", "  \\/ BumpEpoch\n  \\/ \\E p \\in Partitions : Forget(p)\n")

    expect(Table.checkActions(readme, doctored, core, actions)).toEqual([
      "action Forget of Next has no row",
      "action Forget of Next is missing in src/model/idempotent/Actions.ts"
    ])
  })

  it("an action that the model lacks, or orders otherwise, is found", () => {
    const lacking = changed(actions, "  LeaderChange,\n", "")
    const reordered = changed(actions, "  Send,\n  Resend,\n", "  Resend,\n  Send,\n")

    expect(Table.checkActions(readme, tla, core, lacking)).toEqual([
      "action LeaderChange of Next is missing in src/model/idempotent/Actions.ts"
    ])
    expect(Table.checkActions(readme, tla, core, reordered)).toEqual([
      "src/model/idempotent/Actions.ts and Next have their actions in different orders"
    ])
  })

  it("a core function, module or input that does not exist is found", () => {
    const renamed = changed(readme, "`Producer.resend`, input `Resend`", "`Producer.again`, input `Again`")
    const moved = changed(readme, "`Partition.timeOutProduce`, input", "`Purgatory.timeOutProduce`, input")
    const unnamed = changed(readme, "| `Producer.restart`, called by the host |", "| the host |")

    expect(Table.checkActions(renamed, tla, core, actions)).toEqual([
      "src/core has no Producer.again",
      "Producer has no input Again"
    ])
    expect(Table.checkActions(moved, tla, core, actions)).toEqual([
      "src/core has no Purgatory.timeOutProduce",
      "Purgatory has no input TimeOutProduce"
    ])
    expect(Table.checkActions(unnamed, tla, core, actions)).toEqual([
      "the row of `RestartProducer` names no core function"
    ])
  })

  it("two rows for one action are found", () => {
    const row = readme.split("\n").find((line) => line.startsWith("| `Send` |"))!

    expect(Table.checkActions(changed(readme, row, `${row}\n${row}`), tla, core, actions)).toEqual([
      "Send has two rows"
    ])
  })

  it("a Next that cannot be read is not taken for an empty one", () => {
    expect(Table.checkActions(readme, changed(tla, "\nNext ==\n", "\nNeXt ==\n"), core, actions)).toEqual([
      "no actions found in Next"
    ])
  })
})

describe("rules", () => {
  it("agree between the section RULES, README and the core", () => {
    expect(Table.checkRules(readme, tla, core)).toEqual([])
  })

  it("a rule that the core lacks is found", () => {
    const doctored = changed(tla, "IsFirstSequence(sequence) == sequence = 0", "StartsWell(sequence) == sequence = 0")

    expect(Table.checkRules(readme, doctored, core)).toEqual([
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

    expect(Table.checkRules(readme, tla, { ...core, Rules: rules })).toEqual([
      "rule Extra of src/core/Rules.ts is missing in the section RULES"
    ])
  })

  it("a rule without a row, or with the function of another, is found", () => {
    const other = changed(readme, "| `Rules.IsRetriable` |", "| `Rules.ProvesNotWritten` |")

    expect(Table.checkRules(withoutLine(readme, "| `IsRetriable` |"), tla, core)).toEqual([
      "rule IsRetriable has no row"
    ])
    expect(Table.checkRules(other, tla, core)).toEqual([
      "the row of `IsRetriable` does not name the function of that name"
    ])
  })

  it("a rule cannot be passed off as a helper while the core has it", () => {
    const doctored = changed(readme, "| `Rules.MayBumpEpoch` |", "| `Sender.sequenced`, helper |")

    expect(Table.checkRules(doctored, tla, core)).toEqual([
      "rule MayBumpEpoch of src/core/Rules.ts is missing in the section RULES"
    ])
  })
})

describe("overrides", () => {
  it("are named in the rows of the rules they replace", () => {
    expect(Object.keys(extending).length).toBeGreaterThanOrEqual(9)
    expect(Table.checkOverrides(readme, tla, extending)).toEqual([])
  })

  it("an exhibit that no row names is found", () => {
    const exhibit = { New_1: "---- MODULE New_1 ----\nIsRetriable_New_1(error) == TRUE\n====" }

    expect(Table.checkOverrides(readme, tla, { ...extending, ...exhibit })).toEqual([
      "the row of IsRetriable does not name New_1, which replaces it"
    ])
  })

  it("an exhibit that replaces nothing, or is blamed for what it does not do, is found", () => {
    const exhibit = { New_1: "---- MODULE New_1 ----\nIsRetryable_New_1(error) == TRUE\n====" }
    const blamed = changed(readme, "wrote nothing | – |", "wrote nothing | `KAFKA_7693` |")

    expect(Table.checkOverrides(readme, tla, { ...extending, ...exhibit })).toEqual([
      "IsRetryable_New_1 of New_1 replaces no rule"
    ])
    expect(Table.checkOverrides(blamed, tla, extending)).toEqual([
      "the row of ProvesNotWritten names KAFKA_7693, which does not replace it"
    ])
  })
})

describe("properties", () => {
  it("agree between the spec, README, the model and the configurations", () => {
    expect(Table.checkProperties(readme, tla, properties, configurations)).toEqual([])
  })

  it("a property of the code that the spec lacks is found", () => {
    const doctored = changed(properties, "stepProperties = { ", "stepProperties = { Fences, ")

    expect(Table.checkProperties(readme, tla, doctored, configurations)).toEqual([
      "property Fences of src/model/idempotent/Properties.ts is missing in the spec",
      "property Fences of src/model/idempotent/Properties.ts has no row"
    ])
  })

  it("a row whose property is gone is found", () => {
    const doctored = changed(tla, "\nNoGap == ", "\nNoHole == ")

    expect(Table.checkProperties(readme, doctored, properties, configurations)).toEqual([
      "property NoGap of src/model/idempotent/Properties.ts is missing in the spec",
      "NoGap has a row and is no operator of the spec"
    ])
  })

  it("a property that only a configuration has is found", () => {
    const configuration = "CONSTANTS\n  Acks = \"all\"\nINVARIANTS\n  NoLoss \\* and\n  Quiet\nCHECK_DEADLOCK FALSE\n"

    expect(Table.checkedProperties(configuration)).toEqual(["NoLoss", "Quiet"])
    expect(Table.checkProperties(readme, tla, properties, { ...configurations, new: configuration })).toEqual([
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

    expect(Table.checkProperties(claimed, tla, properties, configurations)).toEqual([
      "EveryRecordDecided is not in the code"
    ])
    expect(Table.checkProperties(denied, tla, properties, configurations)).toEqual([
      "the row of InOrder says \"TLC only\", but the code has it"
    ])
  })
})

describe("constants", () => {
  it("agree between the spec and README", () => {
    expect(Table.assumedConstants(tla)).toContain("FaultKinds")
    expect(Table.checkConstants(readme, tla)).toEqual([])
  })

  it("a constant without a row is found", () => {
    expect(Table.checkConstants(withoutLine(readme, "| `DedupWindow` |"), tla)).toEqual([
      "constant DedupWindow is restricted by ASSUME and has no row"
    ])
    expect(Table.checkConstants(withoutLine(readme, "| `Partitions` |"), tla)).toEqual([
      "constant Partitions has no row"
    ])
  })

  it("a row without a constant is found", () => {
    const doctored = changed(tla, "  MaxEpoch,            \\* the last producer epoch before a new producer id\n", "")

    expect(Table.checkConstants(readme, doctored)).toEqual(["MaxEpoch has a row and is no constant"])
  })
})

describe("Kafka's rules", () => {
  it("stand where README says", () => {
    expect(Table.checkKafkaRules(readme, tla, core)).toEqual([])
  })

  it("a place that does not exist is found", () => {
    const operator = changed(readme, "| `Duplicates`, `Accept` |", "| `Copies`, `Accept` |")
    const functionName = changed(readme, "`Replica.findDuplicate`, `Partition.accept`", "`Replica.findCopy`")

    expect(Table.checkKafkaRules(operator, tla, core)[0]).toMatch(/^Copies in the row ".*" is no operator of the spec$/)
    expect(Table.checkKafkaRules(functionName, tla, core)).toEqual(["src/core has no Replica.findCopy"])
  })

  it("a row with neither a place nor a reason is found", () => {
    const doctored = changed(readme, "| – | – | left out: says nothing about delivery |", "| – | – | |")

    expect(Table.checkKafkaRules(doctored, tla, core)).toEqual([
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
    expect(Table.checkHistory(readme, tla)).toEqual([])
  })

  it("an update is no read, a guard is", () => {
    const declared = changed(tla, declaration, declaring)
    const telling = changed(readme, none, listed)

    expect(Table.checkHistory(telling, changed(declared, updating, update))).toEqual([])
    expect(Table.checkHistory(telling, changed(declared, updating, guard))).toEqual([
      "ghostSent is history and read by an action: /\\ b \\notin ghostSent"
    ])
    expect(Table.checkHistory(telling, changed(declared, updating, both))).toHaveLength(1)
  })

  it("a difference between README and the declarations is found", () => {
    const declared = changed(tla, declaration, declaring)

    expect(Table.checkHistory(readme, declared)).toEqual(["ghostSent is declared as history and not listed"])
    expect(Table.checkHistory(changed(readme, none, listed), tla)).toContain(
      "ghostSent is listed as history and is no variable"
    )
    expect(Table.checkHistory(changed(readme, none, ""), tla)).toEqual([
      "README does not say which variables are history"
    ])
  })

  it("a variable cannot be called history while actions read it", () => {
    const doctored = changed(readme, none, "History variables (ghosts): `leader`.")

    const complaints = Table.checkHistory(doctored, tla)

    expect(complaints[0]).toBe("leader is listed as history, and its declaration does not say so")
    expect(complaints.length).toBeGreaterThan(5)
  })
})
