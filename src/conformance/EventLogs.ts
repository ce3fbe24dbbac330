/**
 * Event logs and what they are logs of: the configuration that the first line names or gives, the properties that are
 * watched in it, and the validation of a log that comes in line by line.
 */
import { Data, Effect } from "effect"
import type { AnyConfiguration, AnyWorld, Configured } from "../model/Model.ts"
import { configurationOf, hasProperty } from "../model/Model.ts"
import * as Models from "../model/Models.ts"
import type { TlcFailure, Toolchain } from "../tlc/index.ts"
import { makeLineSplitter } from "../tlc/Messages.ts"
import * as EventLog from "./EventLog.ts"
import type { Focus } from "./Focus.ts"
import { everything } from "./Focus.ts"
import * as Specification from "./Specification.ts"
import * as TlcValidation from "./TlcValidation.ts"
import * as Transactions from "./transactions/index.ts"
import * as Validation from "./Validation.ts"

/** The module that defines the properties of a specification, where the log names none: the first that is pinned. */
const moduleOf = ({ models }: Specification.Manifest, specification: string) =>
  Effect.gen(function*() {
    for (const { config, module } of models) {
      const loaded = yield* Specification.load(module, config)
      if (loaded.model.specification === specification) return module
    }
    return yield* new Specification.SpecificationError({
      message: `there is no specification ${specification}; there are ${
        Models.models.map((model) => model.specification).join(", ")
      }`
    })
  })

/** Everything in the manifest that has a configuration, by its name. */
const configurations = (
  { exhibits, guarantees, models }: Specification.Manifest
): ReadonlyMap<string, { readonly module: string; readonly config: string }> =>
  new Map<string, { readonly module: string; readonly config: string }>([
    ...exhibits.map((exhibit) => [exhibit.name, exhibit] as const),
    ...guarantees.map((row) => [row.configuration, row] as const),
    ...models.map((model) => [model.name, model] as const)
  ])

/** What the code judges and every configuration of the specification that holds claims somewhere. */
const claimed = ({ models }: Specification.Manifest, { model }: Specification.Checked): ReadonlyArray<string> => {
  const all = new Set(models.flatMap(({ properties, verdict }) => verdict === "holds" ? properties : []))
  return [...Object.keys(model.invariants), ...Object.keys(model.stepProperties)].filter((name) => all.has(name))
}

/** What a log is a log of. */
export interface Subject {
  readonly checked: Specification.Checked
  /** What is watched unless something else is asked for: what the configuration claims, as far as the code judges it. */
  readonly properties: ReadonlyArray<string>
}

/** The configuration of a log. Refused where it is none of the specification that the log names. */
export const subjectOf = Effect.fn("EventLogs.subjectOf")(function*(
  header: EventLog.Header
): Effect.fn.Return<Subject, Specification.SpecificationError> {
  const manifest = yield* Specification.manifest
  if ("constants" in header) {
    const { constants, specification, substitutions = {} } = header
    const module = header.module ?? (yield* moduleOf(manifest, specification))
    const checked = yield* Specification.given({ module, constants, substitutions }, "line 1")
    return { checked: yield* agreeing(checked, specification), properties: claimed(manifest, checked) }
  }
  const named = configurations(manifest).get(header.model)
  if (named === undefined) {
    return yield* new Specification.SpecificationError({
      message: `line 1: the manifest has no model, guarantee or exhibit ${header.model}`
    })
  }
  const checked = yield* agreeing(yield* Specification.load(named.module, named.config), header.specification)
  const { judged } = yield* Specification.judgesOf(checked)
  return { checked, properties: judged }
})

const agreeing = (
  checked: Specification.Checked,
  specification: string
): Effect.Effect<Specification.Checked, Specification.SpecificationError> =>
  checked.model.specification === specification ? Effect.succeed(checked) : Effect.fail(
    new Specification.SpecificationError({
      message: `line 1: the configuration is one of ${checked.model.specification}, not of ${specification}`
    })
  )

// ---------------------------------------------------------------------------------------------------------------------
// Validation
// ---------------------------------------------------------------------------------------------------------------------

/** A file that is no log, or an empty one. The message says in which line, and why. */
export class Unreadable extends Data.TaggedError("Unreadable")<{ readonly message: string }> {}

/** A property that was asked for and that the code does not have. */
export class UnknownProperty extends Data.TaggedError("UnknownProperty")<{ readonly message: string }> {}

/** Who judges: the code, TLC, or both, and then they must agree. */
export type Judges =
  | { readonly engine: "code" }
  | { readonly engine: "tlc" | "both"; readonly toolchain: Toolchain.Toolchain }

export type Options = Judges & {
  /** What is watched, by default what the configuration of the log claims. */
  readonly properties?: ReadonlyArray<string>
}

/** What was found about a log. Verdicts count the lines of the log, without the first line of the file. */
export interface Report {
  readonly header: EventLog.Header
  readonly properties: ReadonlyArray<string>
  readonly code?: Validation.Verdict<AnyWorld>
  readonly tlc?: TlcValidation.Verdict
}

/** The number that a line of the log has in its file. */
export const lineInFile = (line: number): number => line + 1

const watchedOf = (
  { checked: { model }, properties }: Subject,
  wanted: ReadonlyArray<string> | undefined
): Effect.Effect<ReadonlyArray<string>, UnknownProperty> => {
  const stranger = wanted?.find((name) => !hasProperty(model, name))
  if (stranger === undefined) return Effect.succeed(wanted ?? properties)
  const known = [...Object.keys(model.invariants), ...Object.keys(model.stepProperties)].join(", ")
  return Effect.fail(
    new UnknownProperty({ message: `${model.specification} has no property ${stranger} in code; it has ${known}` })
  )
}

/** What TLC is asked besides: the types, which the code does not judge. It looks at no behaviour as a whole. */
const watchedByTlc = (
  { checked: { config, model } }: Subject,
  properties: ReadonlyArray<string>,
  wanted: ReadonlyArray<string> | undefined
): ReadonlyArray<string> =>
  wanted === undefined
    ? [...config.invariants.filter((name) => !hasProperty(model, name)), ...properties]
    : properties

const unreadable = (error: unknown): Unreadable =>
  new Unreadable({ message: error instanceof Error ? error.message : String(error) })

/** What is no log is the reader's fault, and all else ours. */
const damaged = (error: unknown): Unreadable => {
  if (error instanceof EventLog.EventLogError) return unreadable(error)
  throw error
}

/** The focus on a run under a configuration. Only transactions go on for so long that it matters. */
const focusOf = (configured: Configured): Focus<AnyConfiguration, AnyWorld> => {
  const configuration = configurationOf(Transactions.driver.model, configured)
  return configuration === undefined
    ? everything(configured.configuration)
    : Transactions.focus(configuration) as unknown as Focus<AnyConfiguration, AnyWorld>
}

/** Pieces of a file as lists of whole lines. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<ReadonlyArray<string>, void> {
  let lines: Array<string> = []
  const splitter = makeLineSplitter((line) => lines.push(line))
  for await (const chunk of chunks) {
    splitter.push(chunk)
    yield lines
    lines = []
  }
  splitter.end()
  yield lines
}

/**
 * Validates a log piece by piece; it is not read further than it is accepted. Only where TLC is asked, the log is kept.
 */
export const validate = Effect.fn("EventLogs.validate")(function*(
  chunks: AsyncIterable<Buffer>,
  options: Options
): Effect.fn.Return<Report, Unreadable | UnknownProperty | Specification.SpecificationError | TlcFailure> {
  const { engine, properties: wanted } = options
  const pieces = linesOf(chunks)
  const read = EventLog.reader()
  const log: Array<EventLog.Line> = []
  let begun: { readonly header: EventLog.Header; readonly subject: Subject } | undefined
  let properties: ReadonlyArray<string> = []
  let validator: Validation.Validator<AnyWorld> | undefined

  const begin = Effect.fnUntraced(function*(header: EventLog.Header) {
    const subject = yield* subjectOf(header)
    begun = { header, subject }
    properties = yield* watchedOf(subject, wanted)
    const { checked: { configuration, model } } = subject
    if (engine !== "tlc") {
      validator = Validation.make({ model, configuration, properties, focus: focusOf(subject.checked) })
    }
  })

  /** Whether to read on. */
  const take = (text: string): boolean => {
    const item = read(text)
    if (item?._tag !== "Line") return true
    if (engine !== "code") log.push(item.line)
    return validator?.observe(item.line) !== false
  }

  const takeAll = Effect.fnUntraced(function*(lines: ReadonlyArray<string>) {
    let rest = lines
    while (begun === undefined && rest.length > 0) {
      const item = yield* Effect.try({ try: () => read(rest[0]!), catch: damaged })
      if (item?._tag === "Header") yield* begin(item.header)
      rest = rest.slice(1)
    }
    return yield* Effect.try({ try: () => rest.every(take), catch: damaged })
  })

  while (true) {
    const piece = yield* Effect.tryPromise({ try: () => pieces.next(), catch: unreadable })
    if (piece.done === true || !(yield* takeAll(piece.value))) break
  }
  yield* Effect.promise(() => pieces.return())
  // Assigned in a function, which the compiler does not see.
  const found = begun as { readonly header: EventLog.Header; readonly subject: Subject } | undefined
  if (found === undefined) return yield* new Unreadable({ message: "the file is empty" })
  const { header, subject } = found
  const code = (validator as Validation.Validator<AnyWorld> | undefined)?.verdict()
  if ((code?._tag === "Rejected" && code.line === 0) || (engine === "tlc" && log.length === 0)) {
    return yield* new Unreadable({ message: "the log is empty: the first line alone is none" })
  }
  const tlc = options.engine === "code"
    ? undefined
    : yield* TlcValidation.validate(options.toolchain, subject.checked, log, watchedByTlc(subject, properties, wanted))
  return { header, properties, ...(code === undefined ? {} : { code }), ...(tlc === undefined ? {} : { tlc }) }
})

const placeOf = (verdict: Validation.Verdict<unknown> | TlcValidation.Verdict): number =>
  verdict._tag === "Accepted" ? verdict.lines : verdict.line

/** Whether two verdicts say the same about the same line. */
export const agree = (code: Validation.Verdict<unknown>, tlc: TlcValidation.Verdict): boolean =>
  code._tag === tlc._tag && placeOf(code) === placeOf(tlc)
