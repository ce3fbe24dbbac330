/**
 * The validation of a log by TLC: a module that extends the specification's, and lets it take the steps that the log has,
 * one a line, to the states that the log observed.
 *
 * It shares the format with the code's validation (`Validation.ts`) and no judgement: what is enabled, where it leads and
 * what it violates, TLC says. The log becomes a constant of the module, so that TLC needs no module besides its own; it is
 * meant for some thousand lines.
 */
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { check, type Config, type Outcome, TlcFailure, type Toolchain, Value } from "../tlc/index.ts"
import * as Modules from "../tlc/Modules.ts"
import type { Line } from "./EventLog.ts"
import * as Specification from "./Specification.ts"

/** What TLC says of a log. Lines are counted from 1, as in the code's verdict. */
export type Verdict =
  | { readonly _tag: "Accepted"; readonly lines: number }
  | {
    readonly _tag: "Rejected"
    readonly line: number
    readonly reason: "empty log" | "not enabled" | "unknown variable" | "other state"
  }
  | { readonly _tag: "Violating"; readonly line: number; readonly property: string | undefined }

// ---------------------------------------------------------------------------------------------------------------------
// The actions
// ---------------------------------------------------------------------------------------------------------------------

const broken = (message: string) => new TlcFailure({ reason: "Guard", message })

/** The text of a definition that ends with an empty line, in whichever of the files it stands. */
const definitionOf = (files: ReadonlyArray<string>, name: string): string | undefined => {
  for (const file of files) {
    const [, text] = new RegExp(`^${name} ==\\n((?:[ ].*\\n)+)`, "m").exec(readFileSync(file, "utf8")) ?? []
    if (text !== undefined) return text
  }
  return undefined
}

/** An action as a disjunct of `Next` has it, its arguments in brackets or none. */
const callOf = (actions: ReadonlyArray<string>): RegExp =>
  new RegExp(`\\b(${actions.join("|")})\\b(?:\\(([^()]*)\\))?$`)

/**
 * The disjuncts of a next-state relation, each of them only for the line that names its action and has its arguments, which
 * are compared one after the other. Throws `TlcFailure` where one is not `\E x \in S, y \in T : Action(x, y)` or `Action`.
 */
export const restricted = (relation: string, actions: ReadonlyArray<string>): ReadonlyArray<string> => {
  const call = callOf(actions)
  return relation.split(/^ {2}\\\/ /m).slice(1).map((part) => {
    const disjunct = part.trim().replace(/\s+/g, " ")
    const [whole, action, instance] = call.exec(disjunct) ?? []
    const [, bounds = ""] = /^\\E (.*) : $/.exec(disjunct.slice(0, disjunct.length - (whole?.length ?? 0))) ?? []
    if (action === undefined || (bounds === "") !== (whole === disjunct)) {
      throw broken(`there is no action of the model in the disjunct ${disjunct} of Next`)
    }
    const parameters = (instance ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "")
    const variables = bounds === "" ? [] : bounds.split(/, (?=\w+ \\in )/)
    const names = variables.map((bound) => bound.split(" ")[0]!)
    const is = (name: string): string => `LoggedIs(${parameters.indexOf(name) + 1}, ${name})`
    return [
      `LoggedCall("${action}", ${parameters.length})`,
      ...parameters.filter((name) => !names.includes(name)).map(is),
      ...variables.map((bound, i) => `\\E ${bound} : ${is(names[i]!)}`),
      whole
    ].join(" /\\ ")
  })
}

/** What strangers ask, and raw clients alone, are relations of their own, for which there are constants. */
const relationsOf = ({ config: { constants } }: Specification.Checked): ReadonlyArray<string> => {
  if (Object.hasOwn(constants, "RequestKinds")) return ["RequestNext"]
  return Object.hasOwn(constants, "ProbeProducerIds") ? ["Next", "Refusals"] : ["Next"]
}

// ---------------------------------------------------------------------------------------------------------------------
// The log
// ---------------------------------------------------------------------------------------------------------------------

const mostNegative = -(2 ** 31)

/** Whether TLC can hold a value: its integers have 32 bits. */
const isHeld = (value: Value.Value): boolean => {
  if (typeof value === "number") return value >= mostNegative && value < 2 ** 31
  if (typeof value !== "object" || value.kind === "model") return true
  return value.kind === "set" ? value.elements.every(isHeld) : value.entries.every((entry) => entry.every(isHeld))
}

/** A value as an expression. There is no literal for the most negative integer. */
const expressionOf = (value: Value.Value): string =>
  Value.print(value).replace(
    new RegExp(`"(?:[^"\\\\]|\\\\.)*"|${mostNegative}\\b`, "g"),
    (found) => found.startsWith("\"") ? found : "(-2147483647 - 1)"
  )

/** What TLC's `ToString` makes of an argument. */
const textOf = (argument: string | number): string => {
  const isPlain = typeof argument === "number" || /^(TRUE|FALSE|-?\d+)$/.test(argument)
  return Value.print(isPlain ? String(argument) : Value.print(argument))
}

const entryOf = ({ action, arguments: instance, observed = {}, places = [] }: Line): string => {
  const seen = places.map(({ path: [variable, ...keys], value }) =>
    `[variable |-> ${expressionOf(variable)}, path |-> ${expressionOf(Value.seq(keys))}, value |-> ${
      expressionOf(value)
    }]`
  )
  return [
    `[action |-> ${expressionOf(action)}`,
    `arguments |-> <<${instance.map(textOf).join(", ")}>>`,
    `observed |-> ${expressionOf(Value.record(observed))}`,
    `places |-> <<${seen.join(", ")}>>]`
  ].join(", ")
}

export const moduleName = "LoggedBehaviour"

const announced = "OTHER STATE "

/** The module. Throws `TlcFailure`. */
export const moduleOf = (checked: Specification.Checked, log: ReadonlyArray<Line>): string => {
  const { model, module } = checked
  const { files } = Modules.read(module, [Specification.folder])
  const disjuncts = relationsOf(checked).flatMap((name) => {
    const text = definitionOf(files, name)
    if (text === undefined) throw broken(`no module of ${module} defines ${name}`)
    return restricted(text, model.actionNames)
  })
  const root = module.slice(dirname(module).length + 1, -".tla".length)
  const variables = model.variables.map((name) => `name = "${name}" -> ${name}'`).join(" [] ")
  return [
    `---- MODULE ${moduleName} ----`,
    `EXTENDS ${root}, TLC, Sequences, Integers`,
    "VARIABLE loggedLine",
    "",
    `LoggedEntries == <<\n${log.map(entryOf).join(",\n")}\n>>`,
    "LoggedEntry == LoggedEntries[loggedLine]",
    "LoggedCall(name, count) == LoggedEntry.action = name /\\ Len(LoggedEntry.arguments) = count",
    "LoggedIs(i, value) == LoggedEntry.arguments[i] = ToString(value)",
    "",
    "LoggedAction ==",
    ...disjuncts.map((disjunct) => `  \\/ ${disjunct}`),
    "",
    `LoggedVariable(name) == CASE ${variables}`,
    "RECURSIVE LoggedAt(_, _)",
    "LoggedAt(value, path) == IF path = <<>> THEN value ELSE LoggedAt(value[Head(path)], Tail(path))",
    "LoggedState ==",
    "  /\\ \\A name \\in DOMAIN LoggedEntry.observed : LoggedVariable(name) = LoggedEntry.observed[name]",
    "  /\\ \\A i \\in DOMAIN LoggedEntry.places :",
    "       LET place == LoggedEntry.places[i]",
    "       IN LoggedAt(LoggedVariable(place.variable), place.path) = place.value",
    "",
    "LoggedStep ==",
    "  /\\ loggedLine <= Len(LoggedEntries)",
    "  /\\ LoggedAction",
    `  /\\ IF LoggedState THEN TRUE ELSE PrintT("${announced}" \\o ToString(loggedLine)) /\\ FALSE`,
    "  /\\ loggedLine' = loggedLine + 1",
    "LoggedSpec == Init /\\ loggedLine = 1 /\\ [][LoggedStep]_<<vars, loggedLine>>",
    "====",
    ""
  ].join("\n")
}

/** The configuration of the module: that of the log, with these properties. */
const configOf = ({ config, model }: Specification.Checked, properties: ReadonlyArray<string>): Config.Config => ({
  ...config,
  specification: "LoggedSpec",
  checkDeadlock: false,
  properties: properties.filter((name) => Object.hasOwn(model.stepProperties, name)),
  invariants: properties.filter((name) => !Object.hasOwn(model.stepProperties, name))
})

// ---------------------------------------------------------------------------------------------------------------------
// The verdict
// ---------------------------------------------------------------------------------------------------------------------

/**
 * TLC does not compare values of different kinds, and does not look for an argument that a function does not have; where it
 * gives up over what was observed, the log has observed what cannot be.
 */
const rejectionBy = ({ file, message, reason }: TlcFailure): Verdict | undefined => {
  if (reason !== "Evaluation" || file !== `${moduleName}.tla`) return undefined
  const [, line] = /loggedLine = (\d+)/.exec(message) ?? []
  return line === undefined ? undefined : { _tag: "Rejected", line: Number(line), reason: "other state" }
}

/**
 * The states are those before each line that was taken, and the last one; `others` are the lines whose action led to another
 * state than was observed.
 */
const judge = (
  outcome: Outcome,
  others: ReadonlySet<number>,
  lines: number
): Effect.Effect<Verdict, TlcFailure> => {
  if (outcome._tag === "Violated") {
    return Effect.succeed({ _tag: "Violating", line: outcome.trace.length - 1, property: outcome.property })
  }
  const { depth, distinct } = outcome
  if (distinct !== depth || distinct > lines + 1) {
    const message = `TLC found ${distinct} states at a depth of ${depth} in a log of ${lines} lines`
    return Effect.fail(new TlcFailure({ reason: "Suspicious", message }))
  }
  if (distinct === lines + 1) return Effect.succeed({ _tag: "Accepted", lines })
  const reason = others.has(distinct) ? "other state" : "not enabled"
  return Effect.succeed({ _tag: "Rejected", line: distinct, reason })
}

const run = (
  toolchain: Toolchain.Toolchain,
  checked: Specification.Checked,
  log: ReadonlyArray<Line>,
  properties: ReadonlyArray<string>
): Effect.Effect<Verdict, TlcFailure> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "keos-"))),
    Effect.fnUntraced(function*(folder) {
      const spec = join(folder, `${moduleName}.tla`)
      const config = join(folder, "log.cfg")
      const module = yield* Effect.try({
        try: () => moduleOf(checked, log),
        catch: (error) => error instanceof TlcFailure ? error : broken(String(error))
      })
      writeFileSync(spec, module)
      writeFileSync(config, Specification.print(configOf(checked, properties)))
      const others = new Set<number>()
      const outcome = yield* check(toolchain, {
        spec,
        config,
        modulePath: [...new Set([dirname(checked.module), Specification.folder])],
        propertiesOf: checked.module,
        heap: "2g",
        stack: "64m",
        quick: log.length < 1_000,
        onText: (line) => {
          if (line.startsWith(`"${announced}`)) others.add(Number.parseInt(line.slice(announced.length + 1), 10))
        }
      })
      return yield* judge(outcome, others, log.length)
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  ).pipe(Effect.catchIf((error) => rejectionBy(error) !== undefined, (error) => Effect.succeed(rejectionBy(error)!)))

/** Why a line cannot be put to TLC, if so. It is then no line of a behaviour. */
const strangeness = (
  { model }: Specification.Checked,
  { observed = {}, places = [] }: Line
): "unknown variable" | "other state" | undefined => {
  const isVariable = (name: string): boolean => model.variables.includes(name)
  if (!Object.keys(observed).every(isVariable) || !places.every(({ path }) => isVariable(path[0]))) {
    return "unknown variable"
  }
  const values = [...Object.values(observed), ...places.flatMap(({ path, value }) => [...path, value])]
  return values.every(isHeld) ? undefined : "other state"
}

/** TLC's verdict on a log, with these properties watched. */
export const validate = Effect.fn("TlcValidation.validate")(function*(
  toolchain: Toolchain.Toolchain,
  checked: Specification.Checked,
  log: ReadonlyArray<Line>,
  properties: ReadonlyArray<string>
): Effect.fn.Return<Verdict, TlcFailure> {
  if (log.length === 0) return { _tag: "Rejected", line: 0, reason: "empty log" }
  const strange = log.findIndex((line) => strangeness(checked, line) !== undefined)
  const verdict = strange === 0
    ? { _tag: "Accepted", lines: 0 } as const
    : yield* run(toolchain, checked, strange < 0 ? log : log.slice(0, strange), properties)
  return verdict._tag === "Accepted" && strange >= 0
    ? { _tag: "Rejected", line: strange + 1, reason: strangeness(checked, log[strange]!)! }
    : verdict
})

/** The verdict as text. `numberOf` says what number a line has for the reader, where that is another. */
export const summarize = (verdict: Verdict, numberOf: (line: number) => number = (line) => line): string => {
  switch (verdict._tag) {
    case "Accepted":
      return `${verdict.lines} lines accepted`
    case "Rejected":
      return verdict.line === 0 ? "the log is empty" : `line ${numberOf(verdict.line)} is rejected: ${verdict.reason}`
    case "Violating":
      return `line ${numberOf(verdict.line)} violates ${verdict.property ?? "a property that TLC does not name"}`
  }
}
