/**
 * Runs TLC on a model and ends in a verdict.
 *
 * The flags are chosen so that verdicts can be trusted and repeated: a fixed fingerprint polynomial, a private folder per
 * run, no `-continue` (with which TLC exits 0 after violations), and a JVM that exits when a worker thread runs out of
 * memory instead of hanging. Specifications are run from their own folder.
 */
import { Duration, Effect, Result } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { basename, delimiter, dirname, relative, resolve } from "node:path"
import * as Config from "./Config.ts"
import { checkConstants, checkProperties, type Model } from "./Guard.ts"
import { type Event, makeLineSplitter, makeParser, type Message } from "./Messages.ts"
import * as Modules from "./Modules.ts"
import { type Ending, run } from "./Process.ts"
import type { Toolchain } from "./Toolchain.ts"
import { code, judge, type Outcome, parseStats, TlcFailure } from "./Verdict.ts"
import { withWorkspace, type Workspace } from "./Workspace.ts"

/** How far TLC has come. It says so after three seconds and then once a minute. */
export interface Progress {
  readonly distinct: number
  readonly generated: number
  readonly queue: number
  readonly depth: number
}

/** One run. Paths are relative to the current folder; `config` is also sought beside the specification. */
export interface CheckOptions {
  readonly spec: string
  readonly config: string
  /** Threads of TLC, by default 1. Use 1 for liveness. */
  readonly workers?: number
  /** `false` switches the search for deadlocks off; by default the configuration decides. */
  readonly checkDeadlock?: boolean
  /** Java heap, by default `512m`. */
  readonly heap?: string
  /** Java stack of each thread, by default `16m`, enough for a recursion of some thousand levels. */
  readonly stack?: string
  /** Time for TLC itself; looking at the model before takes a second more. */
  readonly timeLimit?: Duration.Input
  /** Count how often each action was taken; costs about a tenth of the time. */
  readonly coverage?: boolean
  /** Further folders with modules. */
  readonly modulePath?: ReadonlyArray<string>
  /** The module that has the properties, where many specifications extend it: it is looked at once for all of them. */
  readonly propertiesOf?: string
  /** Flags for TLC that this library does not know. Those that would falsify the verdict are refused. */
  readonly extraArguments?: ReadonlyArray<string>
  /** Start faster and run slower; pays for models of up to some twenty thousand states. */
  readonly quick?: boolean
  readonly onProgress?: (progress: Progress) => void
  /** Every line outside TLC's messages: what `Print` and `PrintT` write, and the remarks of SANY. */
  readonly onText?: (line: string) => void
}

// ---------------------------------------------------------------------------------------------------------------------
// Preparation
// ---------------------------------------------------------------------------------------------------------------------

/** Flags the runner sets itself, and flags that change what exit code or trace mean. */
const refusedFlags = new Set(
  ("-tool -config -metadir -workers -fp -dump -deadlock -coverage -continue -simulate -difftrace -recover -h -view "
    + "-generateSpecTE -generate -debug -debugger").split(" ")
)

const refuse = (message: string, file?: string) =>
  new TlcFailure({ reason: "Options", message, ...(file === undefined ? {} : { file }) })

const findConfig = (options: CheckOptions): string | undefined =>
  [resolve(options.config), resolve(dirname(options.spec), options.config)].find((path) => existsSync(path))

const checkOptions = (options: CheckOptions): TlcFailure | undefined => {
  const { heap = "512m", stack = "16m", workers = 1 } = options
  const flag = options.extraArguments?.find((argument) => refusedFlags.has(argument))
  if (flag !== undefined) return refuse(`the flag ${flag} is set by the runner or would falsify the verdict`)
  if (!Number.isInteger(workers) || workers < 1) return refuse(`workers must be a positive integer, got ${workers}`)
  for (const [name, size] of [["heap", heap], ["stack", stack]] as const) {
    if (!/^\d+[kKmMgG]$/.test(size)) return refuse(`${name} must be a size such as 512m or 2g, got ${size}`)
  }
  if (!existsSync(options.spec)) return refuse(`no module at ${resolve(options.spec)}`, options.spec)
  if (findConfig(options) === undefined) {
    return refuse(`no configuration at ${resolve(options.config)} or beside ${options.spec}`, options.config)
  }
  return undefined
}

/** A model that passed all checks which need no run of TLC. */
const prepare = Effect.fnUntraced(function*(toolchain: Toolchain, options: CheckOptions, workspace: Workspace) {
  const wrong = checkOptions(options)
  if (wrong !== undefined) return yield* wrong
  const configFile = findConfig(options)!
  const parsed = Config.parse(readFileSync(configFile, "utf8"))
  if (Result.isFailure(parsed)) {
    const { line, message } = parsed.failure
    return yield* new TlcFailure({
      reason: "Config",
      message: `${basename(configFile)}, ${message}`,
      file: configFile,
      line
    })
  }
  const config = parsed.success
  if (options.checkDeadlock === true && config.checkDeadlock === false) {
    return yield* refuse(`checkDeadlock is true, but ${basename(configFile)} says CHECK_DEADLOCK FALSE`, configFile)
  }
  const modulePath = options.modulePath ?? []
  const model: Model = {
    spec: resolve(options.spec),
    config,
    configFile,
    modules: Modules.read(options.spec, modulePath),
    modulePath,
    temporary: workspace.io
  }
  const stranger = checkConstants(model)
  if (stranger !== undefined) return yield* stranger
  const { propertiesOf } = options
  const defining = propertiesOf === undefined
    ? model
    : { ...model, spec: resolve(propertiesOf), modules: Modules.read(propertiesOf, modulePath) }
  return { model, unlevelled: yield* checkProperties(toolchain, defining) }
})

const javaArguments = (options: CheckOptions, workspace: Workspace): ReadonlyArray<string> => [
  ...(options.quick === true ? ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"] : ["-XX:+UseParallelGC"]),
  `-Xmx${options.heap ?? "512m"}`,
  `-Xss${options.stack ?? "16m"}`,
  "-XX:+ExitOnOutOfMemoryError",
  `-Djava.io.tmpdir=${workspace.io}`,
  // Otherwise characters outside ASCII become question marks in a C locale.
  "-Dfile.encoding=UTF-8",
  "-Dstdout.encoding=UTF-8",
  "-Dstderr.encoding=UTF-8"
]

const tlcArguments = (
  options: CheckOptions,
  model: Model,
  workspace: Workspace,
  more: ReadonlyArray<string>
): ReadonlyArray<string> => [
  "-tool",
  "-fp",
  "0",
  "-workers",
  String(options.workers ?? 1),
  "-metadir",
  workspace.meta,
  // TLC puts the folder of the specification before a relative path, so the path is made relative to it.
  "-config",
  relative(dirname(model.spec), model.configFile),
  ...(options.checkDeadlock === false ? ["-deadlock"] : []),
  ...(options.coverage === true ? ["-coverage", "1"] : []),
  ...more,
  ...(options.extraArguments ?? []),
  basename(model.spec)
]

// ---------------------------------------------------------------------------------------------------------------------
// Observation
// ---------------------------------------------------------------------------------------------------------------------

const keptLines = 200
const keptCharacters = 16_000

/** Collects what `judge` needs from what TLC says, in bounded memory. */
const makeObserver = (options: CheckOptions) => {
  const messages: Array<Message> = []
  let text: Array<string> = []
  let stderr = ""
  const observe = (event: Event) => {
    if (event._tag === "Text") {
      text.push(event.line.slice(0, keptCharacters))
      if (text.length > 2 * keptLines) text = text.slice(-keptLines)
      options.onText?.(event.line)
      return
    }
    if (event.code === code.coverageDetail) return
    messages.push(event)
    if (event.code !== code.progress || options.onProgress === undefined) return
    const stats = parseStats(event.text)
    if (stats !== undefined) options.onProgress({ ...stats, depth: stats.depth ?? 0 })
  }
  const parser = makeParser(observe)
  const lines = makeLineSplitter(parser.push)
  return {
    output: lines.push,
    error: (chunk: Buffer) => {
      stderr = (stderr + chunk.toString("utf8")).slice(-keptCharacters)
    },
    text: () => text,
    conclude: (ending: Ending, config: Config.Config) => {
      lines.end()
      parser.end()
      return judge({
        exitCode: ending.code,
        signal: ending.signal,
        timedOut: ending.timedOut,
        seconds: ending.seconds,
        messages,
        text,
        stderr,
        config
      })
    }
  }
}

/** What is special about a run that does more than check: see `StateGraph.ts`. */
export interface Variation {
  /** Main class with its leading arguments, by default `tlc2.TLC`. */
  readonly main?: ReadonlyArray<string>
  /** Further folders with classes. */
  readonly classes?: ReadonlyArray<string>
  /** Further flags for TLC. */
  readonly flags?: ReadonlyArray<string>
  /** Takes standard output; TLC's messages are then expected on standard error. */
  readonly onStdout?: (chunk: Buffer) => void
}

/** How a run ended. */
export interface Concluded {
  readonly verdict: Result.Result<Outcome, TlcFailure>
  readonly config: Config.Config
  readonly exitCode: number | null
  /** The last lines outside TLC's messages. */
  readonly text: ReadonlyArray<string>
}

/** Runs TLC in `workspace` and judges the run; the failure channel is for models that are refused before the run. */
export const execute = Effect.fnUntraced(function*(
  toolchain: Toolchain,
  options: CheckOptions,
  workspace: Workspace,
  variation: Variation = {}
): Effect.fn.Return<Concluded, TlcFailure> {
  const { model, unlevelled } = yield* prepare(toolchain, options, workspace)
  const observer = makeObserver(options)
  const folders = model.modulePath.map((folder) => resolve(folder))
  const swapped = variation.onStdout !== undefined
  const ending = yield* run(toolchain.java, [
    ...javaArguments(options, workspace),
    "-cp",
    [toolchain.jar, ...(variation.classes ?? []), ...folders].join(delimiter),
    ...(variation.main ?? ["tlc2.TLC"]),
    ...tlcArguments(options, model, workspace, variation.flags ?? [])
  ], {
    cwd: dirname(model.spec),
    ...(options.timeLimit === undefined ? {} : { timeLimitMillis: Duration.toMillis(options.timeLimit) }),
    onStdout: variation.onStdout ?? observer.output,
    onStderr: swapped ? observer.output : observer.error
  }).pipe(
    Effect.mapError(({ command, message }) =>
      new TlcFailure({ reason: "Start", message: `cannot start ${command}: ${message}. Is Java still there?` })
    )
  )
  const judged = observer.conclude(ending, model.config)
  const doubtful = unlevelled.length > 0 && Result.isSuccess(judged) && judged.success._tag === "Holds"
  const verdict: Concluded["verdict"] = doubtful
    ? Result.fail(
      new TlcFailure({
        reason: "Guard",
        message:
          `TLC reports success, but SANY did not say whether ${
            unlevelled.join(", ")
          } is a temporal formula; as a state `
          + "predicate, a PROPERTY is checked in initial states only. Does the jar hold tla2sany.xml.XMLExporter?",
        file: model.configFile,
        exitCode: ending.code
      })
    )
    : judged
  return { verdict, config: model.config, exitCode: ending.code, text: observer.text() }
})

/**
 * Checks a model with TLC.
 *
 * Succeeds with `Holds` or `Violated`; everything that is not a verdict is a `TlcFailure`. Interrupting the effect stops
 * TLC and removes its files before the interruption completes.
 */
export const check = Effect.fn("Tlc.check")(function*(
  toolchain: Toolchain,
  options: CheckOptions
): Effect.fn.Return<Outcome, TlcFailure> {
  const { verdict } = yield* withWorkspace((workspace) => execute(toolchain, options, workspace))
  return yield* Effect.fromResult(verdict)
})
