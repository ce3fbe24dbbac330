/**
 * What a finished run of TLC means.
 *
 * `judge` is a pure function of what TLC said and how it ended. TLC reports success in several situations in which nothing
 * was checked, so a run is green only when five things agree: exit code 0, the success message, no error message, at least
 * one state, and an empty queue. Whatever is neither green nor a violation that TLC has fully reported is a `TlcFailure`.
 */
import { Result, Schema } from "effect"
import type { Config } from "./Config.ts"
import { type Message, severityError } from "./Messages.ts"
import { parseAction, parseState, parseTraceState, type TraceState } from "./Trace.ts"

/** Sizes of the explored part of the state graph. After a violation they cover what was explored until then. */
export interface Counts {
  readonly distinct: number
  readonly generated: number
  /** States on the longest shortest path, the initial state included. */
  readonly depth: number
  /** Initial states as generated; two ways to the same initial state count twice. */
  readonly initial: number
  readonly queue: number
  readonly seconds: number
  /** How often each action led to a new state, and to any state; only with coverage. */
  readonly actions?: Readonly<Record<string, { readonly distinct: number; readonly generated: number }>>
}

/** Every reachable state was explored and nothing was violated. */
export interface Holds extends Counts {
  readonly _tag: "Holds"
}

/** What was violated. */
export type ViolationKind =
  | "invariant"
  | "action property"
  | "liveness"
  | "deadlock"
  | "assertion"
  | "assumption"

/** TLC found a counterexample. */
export interface Violated extends Counts {
  readonly _tag: "Violated"
  readonly kind: ViolationKind
  /** Name of what is violated where TLC says it, or where the configuration leaves only one candidate. */
  readonly property: string | undefined
  /** Place of the violated formula where TLC says it, as `line 6, col 17 to line 6, col 26 of module Abstract`. */
  readonly location: string | undefined
  /** TLC's own sentence. */
  readonly message: string
  /** The states from the initial one on; empty for an assumption. Its length is the length of the counterexample. */
  readonly trace: ReadonlyArray<TraceState>
  /** For liveness: the index of the state to which the last one returns, or `"stuttering"`. */
  readonly lasso?: number | "stuttering"
  /** The action that closes the loop. */
  readonly closedBy?: string
}

/** The two verdicts. */
export type Outcome = Holds | Violated

/** Why there is no verdict. */
export const FailureReason = Schema.Literals([
  /** The caller asked for something that cannot be, or that would falsify the verdict. */
  "Options",
  /** The configuration would make TLC check less than it seems to. */
  "Guard",
  /** The configuration file is wrong. */
  "Config",
  /** SANY refused a module. */
  "Parse",
  /** An expression could not be evaluated. */
  "Evaluation",
  "OutOfMemory",
  "StackOverflow",
  "TimeLimit",
  "Killed",
  /** Java or TLC did not start. */
  "Start",
  /** The state graph is incomplete or not ours. */
  "Graph",
  /** TLC ended in a way that does not add up. */
  "Suspicious"
])
export type FailureReason = typeof FailureReason.Type

/** TLC gave no verdict. `message` says what, where, and how to mend it. */
export class TlcFailure extends Schema.TaggedError<TlcFailure>()("TlcFailure", {
  reason: FailureReason,
  message: Schema.String,
  file: Schema.optionalKey(Schema.String),
  line: Schema.optionalKey(Schema.Int),
  /** Exit code of Java; `null` when a signal ended it, absent when it never ran. */
  exitCode: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  /** The last lines TLC wrote outside its messages, and its standard error. */
  output: Schema.optionalKey(Schema.String)
}) {}

/** Everything `judge` looks at. */
export interface Evidence {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly timedOut: boolean
  readonly seconds: number
  /** All messages except those of source coverage (2221). */
  readonly messages: ReadonlyArray<Message>
  /** The last lines outside messages, where SANY and the JVM write. */
  readonly text: ReadonlyArray<string>
  readonly stderr: string
  readonly config: Config
}

/** The codes of TLC's messages this module knows, by the names TLC gives them. */
export const code = {
  outOfMemory: [1001, 1002, 1003],
  stackOverflow: 1005,
  assumptionFalse: 2104,
  invariantInitial: 2107,
  invariant: 2110,
  invariantEvaluation: 2111,
  actionProperty: 2112,
  deadlock: 2114,
  liveness: 2116,
  behavior: 2121,
  backToState: 2122,
  assertion: 2132,
  initial: [2190, 2191, 2207, 2208],
  success: 2193,
  depth: 2194,
  stats: 2199,
  progress: 2200,
  coverageStart: 2201,
  liveImplied: 2212,
  state: 2217,
  stuttering: 2218,
  coverageDetail: 2221,
  coverageNext: 2772
} as const

// ---------------------------------------------------------------------------------------------------------------------
// Counts
// ---------------------------------------------------------------------------------------------------------------------

const number = (text: string | undefined): number => text === undefined ? 0 : Number(text.replaceAll(",", ""))

/** Numbers of a progress message, with or without thousands separators. */
export const parseStats = (text: string) => {
  const match = /([\d,]+) states? generated.*?([\d,]+) distinct states? found.*?([\d,]+) states? left on queue/.exec(
    text
  )
  if (match === null) return undefined
  const depth = /Progress\(([\d,]+)\)/.exec(text)
  return {
    generated: number(match[1]),
    distinct: number(match[2]),
    queue: number(match[3]),
    depth: depth === null ? undefined : number(depth[1])
  }
}

const readActions = (messages: ReadonlyArray<Message>): Counts["actions"] => {
  const start = messages.findLastIndex((message) => message.code === code.coverageStart)
  if (start < 0) return undefined
  const actions: Record<string, { distinct: number; generated: number }> = {}
  for (const message of messages.slice(start)) {
    if (message.code !== code.coverageNext) continue
    const match = /^<(.+?) line .*>: (\d+):(\d+)/.exec(message.text)
    if (match === null) continue
    // One definition that Next mentions in several places is listed several times.
    const sum = (actions[match[1]!] ??= { distinct: 0, generated: 0 })
    sum.distinct += number(match[2])
    sum.generated += number(match[3])
  }
  return actions
}

const readCounts = ({ messages, seconds }: Evidence): Counts => {
  const last = (wanted: number) => messages.findLast((message) => message.code === wanted)?.text
  const stats = parseStats(last(code.stats) ?? last(code.progress) ?? "")
  const depth = /search is ([\d,]+)/.exec(last(code.depth) ?? "")?.[1]
  const initial = messages.find((message) => (code.initial as ReadonlyArray<number>).includes(message.code))?.text
  const actions = readActions(messages)
  return {
    distinct: stats?.distinct ?? 0,
    generated: stats?.generated ?? 0,
    queue: stats?.queue ?? 0,
    depth: depth === undefined ? parseStats(last(code.progress) ?? "")?.depth ?? 0 : number(depth),
    initial: number(/initial states: ([\d,]+)/.exec(initial ?? "")?.[1]),
    seconds,
    ...(actions === undefined ? {} : { actions })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Violations
// ---------------------------------------------------------------------------------------------------------------------

type Named = Pick<Violated, "kind" | "property" | "location" | "message">

const only = (names: ReadonlyArray<string>): string | undefined => names.length === 1 ? names[0] : undefined
const place = (text: string): string | undefined =>
  /line \d+, col \d+ to line \d+, col \d+ of module \w+/.exec(text)?.[0]

/** What the message says is violated, if it is a message of that sort. */
const readViolation = (message: Message, evidence: Evidence): Named | undefined => {
  const { text } = message
  const named = (kind: ViolationKind, property?: string): Named => ({
    kind,
    property,
    location: place(text),
    message: text.split("\n")[0]!.trim()
  })
  switch (message.code) {
    case code.invariant:
    case code.invariantInitial:
      return named("invariant", /Invariant (\S+) is violated/.exec(text)?.[1])
    case code.actionProperty: {
      // A property that is itself [][A]_v is called by its name, a conjunct of one (a refinement) by its place.
      const name = place(text) === undefined ? /property (\S+) is violated/.exec(text)?.[1] : undefined
      return named("action property", name ?? only(evidence.config.properties))
    }
    case code.liveness:
      return named("liveness", only(evidence.config.properties))
    case code.deadlock:
      return named("deadlock")
    case code.assumptionFalse:
      return named("assumption")
    case code.assertion: {
      const during = evidence.messages.find((other) => other.code === code.invariantEvaluation)
      const said = text.split("\n").slice(1).join(" ").trim()
      return {
        kind: "assertion",
        property: during === undefined ? undefined : /invariant (\S+) failed/.exec(during.text)?.[1],
        location: undefined,
        message: `Assertion failed: ${said}`
      }
    }
    default:
      return undefined
  }
}

/** Exit codes that go with each kind; an assertion inside an invariant counts as a failed evaluation for TLC. */
const exitCodes: Readonly<Record<ViolationKind, ReadonlyArray<number>>> = {
  assumption: [10],
  deadlock: [11],
  invariant: [12],
  liveness: [13],
  "action property": [13],
  assertion: [14, 75, 76]
}

const readTrace = (messages: ReadonlyArray<Message>): Pick<Violated, "trace" | "lasso" | "closedBy"> => {
  const trace: Array<TraceState> = []
  let lasso: number | "stuttering" | undefined
  let closedBy: string | undefined
  for (const { code: kind, text } of messages) {
    if (kind === code.state) {
      const state = parseTraceState(text)
      if (state !== undefined) trace.push(state)
    } else if (kind === code.invariantInitial) {
      const variables = parseState(text.slice(text.indexOf("\n") + 1))
      trace.push({ index: 1, action: undefined, location: undefined, variables })
    } else if (kind === code.stuttering) {
      lasso = "stuttering"
    } else if (kind === code.backToState) {
      const back = /^(\d+): Back to state: ?(.*)/.exec(text)
      lasso = number(back?.[1])
      closedBy = parseAction(back?.[2] ?? "").action
    }
  }
  return { trace, ...(lasso === undefined ? {} : { lasso }), ...(closedBy === undefined ? {} : { closedBy }) }
}

// ---------------------------------------------------------------------------------------------------------------------
// Failures
// ---------------------------------------------------------------------------------------------------------------------

/** The innermost place the evaluator names, or the last one of SANY's semantic errors. */
const readPlace = (text: string): { readonly file?: string; readonly line?: number } => {
  const notation = /[Ll]ine (\d+), col(?:umn)? \d+ to line \d+, col(?:umn)? \d+ (?:of module|in) (\w+)/g
  const place = [...text.matchAll(notation)].at(-1)
  return place === undefined ? {} : { file: `${place[2]}.tla`, line: Number(place[1]) }
}

/** SANY gives the file of a syntax error or a missing module apart from the line. */
const readSyntaxPlace = (text: string): { readonly file?: string; readonly line?: number } => {
  const file = /spec in file (\w+)/.exec(text)?.[1]
  const line = /\bat line (\d+)/.exec(text)?.[1]
  return {
    ...(file === undefined ? {} : { file: `${file}.tla` }),
    ...(line === undefined ? {} : { line: Number(line) })
  }
}

const parseError = (text: ReadonlyArray<string>): string => {
  const start = text.findIndex((line) =>
    /\*\*\*\s*(Parse Error|Errors)|^Semantic errors|Lexical error|Could not/i.test(line)
  )
  const lines = (start < 0 ? text : text.slice(start)).map((line) => line.trim()).filter((line) => line !== "")
  const residual = lines.findIndex((line) => line.startsWith("Residual stack trace"))
  // The place stands after the residual stack for syntax errors, so it is kept although the stack is not.
  const fatal = residual < 0 ? undefined : lines.find((line) => line.includes("in file"))
  const shown = (residual < 0 ? lines : lines.slice(0, residual)).filter((line) =>
    !/^(Parsing file|Semantic proc)/.test(line)
  )
  return [...shown.slice(0, 20), ...(fatal === undefined ? [] : [fatal])].join("\n")
}

const outOfMemory = ({ exitCode, messages, stderr, text }: Evidence): boolean =>
  exitCode === 3
  || messages.some((message) => (code.outOfMemory as ReadonlyArray<number>).includes(message.code))
  || (exitCode !== 0 && [...text, stderr].some((line) => line.includes("java.lang.OutOfMemoryError")))

const failure = (evidence: Evidence, reason: FailureReason, said: string, after = ""): TlcFailure => {
  const output = [...evidence.text.slice(-40), evidence.stderr.trim()].join("\n").trim()
  const placed = reason === "Parse" || reason === "Evaluation" || reason === "StackOverflow"
  const where = placed ? { ...(reason === "Parse" ? readSyntaxPlace(said) : {}), ...readPlace(said) } : {}
  return new TlcFailure({
    reason,
    message: said + after,
    ...where,
    exitCode: evidence.exitCode,
    ...(output === "" ? {} : { output: output.slice(-8_000) })
  })
}

/** The failure that a run without a verdict is. */
const explain = (evidence: Evidence): TlcFailure => {
  const { exitCode, messages, signal, stderr, text } = evidence
  const errors = messages.filter((message) => message.severity === severityError)
  const said = errors.filter((message) => message.code !== code.behavior)
    .map((message) => message.text.trim()).filter((line) => line !== "").join("\n")
  const state = messages.findLast((message) => message.code === code.state)?.text
  const lastState = state === undefined ? "" : `\nThe last state was ${state}`
  if (exitCode === null || exitCode === 137 || exitCode === 143) {
    return failure(
      evidence,
      "Killed",
      `TLC was ended from outside (${signal ?? `exit code ${exitCode}`}) before it had a verdict`
    )
  }
  const overflow = messages.some((message) =>
    message.code === code.stackOverflow || message.text.includes("StackOverflowError")
  )
  if (overflow) {
    return failure(
      evidence,
      "StackOverflow",
      `the stack overflowed; raise it with the stack option. TLC said: ${said}`
    )
  }
  switch (exitCode) {
    case 1: {
      // With a state graph on standard output, what belongs on standard error is among the text.
      const outside = `${text.slice(-20).join("\n")}\n${stderr}`
      const missing = /ClassNotFoundException|Could not find or load main class|NoClassDefFoundError/.test(outside)
      const detail = `${said}\n${outside}`.trim().slice(0, 2_000)
      return failure(
        evidence,
        "Start",
        `TLC did not start${missing ? ": the jar is not the TLA+ tools" : ""}. ${detail}`
      )
    }
    case 10:
    case 75:
    case 76:
      return failure(evidence, "Evaluation", said, lastState)
    case 150:
      return failure(evidence, "Parse", parseError(text) || said)
    case 151:
      return failure(evidence, "Config", said)
    case 255: {
      const config = messages.some((message) => message.code >= 5000 && message.code < 5100)
        || /ConfigFileException/.test(said)
      // What is wrong stands in the message nested inside the exception.
      const nested = messages.filter((message) => message.depth > 0).map((message) => message.text)
      return failure(evidence, config ? "Config" : "Evaluation", [said, ...nested].join("\n").trim())
    }
    default:
      return failure(
        evidence,
        "Suspicious",
        `TLC ended with exit code ${exitCode}, which means nothing known. ${said}`.trim()
      )
  }
}

/** Why a run that ended with exit code 0 is not believed. */
const missingFromSuccess = ({ messages }: Evidence, counts: Counts): ReadonlyArray<string> => {
  const successes = messages.filter((message) => message.code === code.success).length
  const error = messages.find((message) => message.severity === severityError)
  return [
    ...(successes === 1 ? [] : [`the success message came ${successes} times`]),
    ...(error === undefined ? [] : [`an error was reported: ${error.text}`]),
    ...(counts.distinct > 0 ? [] : ["no state was found, so nothing was checked (is Init satisfiable?)"]),
    ...(counts.queue === 0 ? [] : [`${counts.queue} states were left unexplored`]),
    ...(messages.some((message) => message.code === code.stats) ? [] : ["the final counts are missing"])
  ]
}

/** Liveness over a reduced or cut state graph proves and refutes nothing, and TLC does it with at most a warning. */
const unsoundLiveness = ({ config, messages }: Evidence): string | undefined => {
  if (!messages.some((message) => message.code === code.liveImplied)) return undefined
  const culprits = [
    ...(config.symmetry === undefined ? [] : ["SYMMETRY"]),
    ...(config.view === undefined ? [] : ["VIEW"]),
    ...(config.constraints.length === 0 ? [] : ["CONSTRAINT"]),
    ...(config.actionConstraints.length === 0 ? [] : ["ACTION_CONSTRAINT"])
  ]
  return culprits.length === 0 ? undefined : culprits.join(" and ")
}

/** The verdict of a run. */
export const judge = (evidence: Evidence): Result.Result<Outcome, TlcFailure> => {
  if (evidence.timedOut) {
    const last = evidence.messages.findLast((message) => message.code === code.progress)?.text
    return Result.fail(
      failure(evidence, "TimeLimit", `the time limit ended TLC. ${last ?? "It had reported no progress."}`)
    )
  }
  if (outOfMemory(evidence)) {
    return Result.fail(failure(evidence, "OutOfMemory", "TLC ran out of memory; raise it with the heap option"))
  }
  const unsound = unsoundLiveness(evidence)
  if (unsound !== undefined) {
    const message =
      `a liveness property was checked together with ${unsound}, which makes the verdict worthless either way. `
      + "Check liveness with a configuration of its own"
    return Result.fail(failure(evidence, "Guard", message))
  }

  const counts = readCounts(evidence)
  if (evidence.exitCode === 0) {
    const missing = missingFromSuccess(evidence, counts)
    return missing.length === 0
      ? Result.succeed({ _tag: "Holds", ...counts })
      : Result.fail(failure(evidence, "Suspicious", `TLC claims success, but ${missing.join("; ")}`))
  }

  for (const message of evidence.messages) {
    const violation = readViolation(message, evidence)
    if (violation === undefined) continue
    const found = readTrace(evidence.messages)
    const complete = exitCodes[violation.kind].includes(evidence.exitCode ?? -1)
      && (violation.kind === "assumption" || found.trace.length > 0)
      && (violation.kind !== "liveness" || found.lasso !== undefined)
    // A report that was cut short (by a signal, say) is no verdict.
    if (!complete) break
    return Result.succeed({ _tag: "Violated", ...violation, ...found, ...counts })
  }
  return Result.fail(explain(evidence))
}
