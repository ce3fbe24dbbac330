/**
 * The state graph of a model: every reachable state and every step between two of them, as TLC finds them.
 *
 * Where Java can compile, `GraphWriter.java` sends the graph through a pipe while TLC runs; its edges carry the
 * arguments of their actions. Elsewhere the graph comes from TLC's own dot file and has action names only. Either way the
 * text is never held whole: items go to a callback one by one, and a slow callback slows TLC down.
 *
 * A graph is complete or it is a failure: its size must agree with what TLC counted, and its end must be there.
 */
import { Effect, Result, Semaphore } from "effect"
import { createReadStream, existsSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Dot from "./Dot.ts"
import { type GraphReader, type Item, makeReader, readJsonLine } from "./Graph.ts"
import { makeLineSplitter } from "./Messages.ts"
import { run } from "./Process.ts"
import { type CheckOptions, type Concluded, execute } from "./Tlc.ts"
import type { Toolchain } from "./Toolchain.ts"
import { type Outcome, TlcFailure } from "./Verdict.ts"
import { lasting, withWorkspace, type Workspace } from "./Workspace.ts"

export type { Edge, Item, State } from "./Graph.ts"

/** A run whose graph is wanted. */
export interface StreamOptions extends CheckOptions {
  /**
   * Takes each item, synchronously. A state comes once, initial states first. With one worker a state comes before the
   * edges that touch it; with several, an edge may come before its target.
   */
  readonly onItem: (item: Item) => void
  /** `GraphWriter.java`, where it does not lie beside this module. */
  readonly writer?: string
  /** Use TLC's dot file although the graph writer could run. */
  readonly dot?: boolean
}

/** What a streamed graph was. After a violation it is the part that was explored until then. */
export interface Streamed {
  readonly outcome: Outcome
  readonly states: number
  readonly edges: number
  /** Whether edges carry the arguments of their actions. */
  readonly arguments: boolean
}

const findWriter = (options: StreamOptions): string | undefined => {
  if (options.writer !== undefined) return existsSync(options.writer) ? options.writer : undefined
  // Beside this module in the source tree; from a bundle in dist/, in the sources that are shipped with it.
  return ["./GraphWriter.java", "../src/tlc/GraphWriter.java"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path))
}

/** Exit status of `GraphWriter.java` when TLC cannot be given a state writer. */
const unsupported = 97

/** The folders of the classes of writers, by jar and source; nothing where the one does not fit the other. */
const compiled = new Map<string, string | undefined>()
const compiling = Semaphore.makeUnsafe(1)

/**
 * Compiles a writer, once in the life of this process: Java can run its source, but would compile it for each of many short
 * runs.
 */
const compile = Effect.fnUntraced(function*(toolchain: Toolchain, writer: string) {
  const key = `${toolchain.jar}\n${writer}`
  if (compiled.has(key)) return compiled.get(key)
  const classes = lasting()
  const quickly = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
  const javac = ["-m", "jdk.compiler/com.sun.tools.javac.Main", "-nowarn", "-cp", toolchain.jar, "-d", classes, writer]
  const { code } = yield* run(toolchain.java, [...quickly, ...javac]).pipe(
    Effect.mapError(({ command, message }) =>
      new TlcFailure({ reason: "Start", message: `cannot start ${command}: ${message}. Is Java still there?` })
    )
  )
  compiled.set(key, code === 0 ? classes : undefined)
  return compiled.get(key)
}, (compilation) => compiling.withPermit(compilation))

const wrongGraph = (source: string, message: string, line?: number) =>
  new TlcFailure({
    reason: "Graph",
    message: `${source}${line === undefined ? "" : `, line ${line}`}: ${message}`,
    file: source,
    ...(line === undefined ? {} : { line })
  })

/** The verdict of the run, provided the graph that came with it is whole. */
const conclude = (
  { config, verdict }: Concluded,
  reader: GraphReader,
  source: string,
  withArguments: boolean
): Result.Result<Streamed, TlcFailure> => {
  const { edges, states } = reader.end()
  if (Result.isFailure(verdict)) return Result.fail(verdict.failure)
  const problem = reader.problem()
  if (problem !== undefined) return Result.fail(wrongGraph(source, problem.message, problem.line))
  const outcome = verdict.success
  if (outcome._tag === "Holds") {
    if (states !== outcome.distinct) {
      return Result.fail(wrongGraph(source, `${states} states, but TLC counted ${outcome.distinct}`))
    }
    // Steps that a constraint cuts off are counted by TLC but are not part of the graph.
    const cut = config.constraints.length + config.actionConstraints.length > 0
    if (!cut && edges !== outcome.generated - outcome.initial) {
      const counted = outcome.generated - outcome.initial
      return Result.fail(wrongGraph(source, `${edges} edges, but TLC generated ${counted} successors`))
    }
  }
  return Result.succeed({ outcome, states, edges, arguments: withArguments })
}

const streamJson = Effect.fnUntraced(function*(
  toolchain: Toolchain,
  options: StreamOptions,
  writer: string,
  workspace: Workspace
) {
  const reader = makeReader(readJsonLine, options.onItem)
  const lines = makeLineSplitter(reader.push)
  const classes = yield* compile(toolchain, writer)
  if (classes === undefined) return undefined
  const concluded = yield* execute(toolchain, options, workspace, {
    main: [basename(writer, ".java")],
    classes: [classes],
    onStdout: lines.push
  })
  if (concluded.exitCode === unsupported) return undefined
  lines.end()
  return yield* Effect.fromResult(conclude(concluded, reader, "the state graph from GraphWriter", true))
})

/** Reads a file line by line; a callback that throws ends the reading and becomes a defect. */
const readLines = (path: string, onLine: (line: string) => void): Effect.Effect<void, TlcFailure> =>
  Effect.callback((resume) => {
    const lines = makeLineSplitter(onLine)
    const stream = createReadStream(path, { highWaterMark: 1 << 20 })
    const guarded = <A extends ReadonlyArray<unknown>>(callback: (...args: A) => void) => (...args: A) => {
      try {
        callback(...args)
      } catch (error) {
        stream.destroy()
        resume(Effect.die(error))
      }
    }
    stream.on("data", guarded((chunk) => lines.push(chunk as Buffer)))
    stream.on("error", (error) => resume(Effect.fail(wrongGraph(path, `cannot be read: ${error.message}`))))
    stream.on(
      "end",
      guarded(() => {
        lines.end()
        resume(Effect.void)
      })
    )
    return Effect.sync(() => stream.destroy())
  })

const streamDot = Effect.fnUntraced(function*(toolchain: Toolchain, options: StreamOptions, workspace: Workspace) {
  const file = join(workspace.root, "graph.dot")
  const concluded = yield* execute(toolchain, options, workspace, { flags: ["-dump", "dot,actionlabels", file] })
  if (Result.isFailure(concluded.verdict)) return yield* concluded.verdict.failure
  const reader = makeReader(Dot.makeReadLine(), options.onItem)
  yield* readLines(file, reader.push)
  return yield* Effect.fromResult(conclude(concluded, reader, "the state graph from -dump dot", false))
})

/** Checks a model and hands its state graph to `onItem`. A graph that is not whole is a `TlcFailure`. */
export const stream = Effect.fn("StateGraph.stream")(function*(
  toolchain: Toolchain,
  options: StreamOptions
): Effect.fn.Return<Streamed, TlcFailure> {
  const writer = findWriter(options)
  if (writer === undefined && options.writer !== undefined) {
    return yield* new TlcFailure({ reason: "Options", message: `no graph writer at ${options.writer}` })
  }
  return yield* withWorkspace(Effect.fnUntraced(function*(workspace) {
    if (writer !== undefined && toolchain.compiler && options.dot !== true) {
      const streamed = yield* streamJson(toolchain, options, writer, workspace)
      if (streamed !== undefined) return streamed
    }
    return yield* streamDot(toolchain, options, workspace)
  }))
})
