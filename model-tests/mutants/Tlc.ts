/**
 * TLC's graph of one sweep configuration, from the specification as it is or with a mutated module.
 */
import { Effect, type Result } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Graphs from "../../src/conformance/Graph.ts"
import * as Models from "../../src/model/Models.ts"
import { makeReader, readJsonLine } from "../../src/tlc/Graph.ts"
import { type Outcome, TlcFailure, type Toolchain } from "../../src/tlc/index.ts"
import { makeLineSplitter } from "../../src/tlc/Messages.ts"
import { execute } from "../../src/tlc/Tlc.ts"
import { withWorkspace } from "../../src/tlc/Workspace.ts"
import type { Subject, SweepConfiguration } from "./Subject.ts"
import * as Tla from "./TlaSyntax.ts"

export const specification = path.join(import.meta.dirname, "../../spec")

/** Modules that put together what the specification has apart. */
const combinations = path.join(import.meta.dirname, "transactions")

/** Every module that a configuration may start from, by name. */
const modules = (): ReadonlyMap<string, string> =>
  new Map(
    [specification, path.join(specification, "museum"), combinations].flatMap((folder) =>
      fs.readdirSync(folder).filter((file) => file.endsWith(".tla")).map((file) =>
        [file.slice(0, -4), fs.readFileSync(path.join(folder, file), "utf8")] as const
      )
    )
  )

export const textOf = (module: string): string => fs.readFileSync(path.join(specification, `${module}.tla`), "utf8")

/** SHA-256 of what a graph depends on; comments are not part of it. */
export const fingerprint = (subject: Subject, { module, text }: SweepConfiguration): string => {
  const texts = modules()
  const read = (name: string): string => Tla.blankComments(texts.get(name)!).replace(/\s+/g, " ")
  return Graphs.fingerprint([...subject.modules.map(read), read(module), text])
}

/** More states than the bound allows. */
export class TooManyStates extends Error {}

export interface Run {
  readonly outcome: Outcome
  readonly graph: Graphs.Graph
}

/** TLC with the graph writer in machine code: a second less for each of some thousand runs. */
export interface Tool {
  readonly toolchain: Toolchain.Toolchain
  /** Folder with the compiled writer. */
  readonly classes: string
}

/** Compiles the graph writer into a folder; the caller removes it. Throws where this Java has no compiler. */
export const compile = (toolchain: Toolchain.Toolchain): Tool => {
  const classes = fs.mkdtempSync(path.join(os.tmpdir(), "keos-writer-"))
  const writer = path.join(import.meta.dirname, "../../src/tlc/GraphWriter.java")
  const compiler = ["-m", "jdk.compiler/com.sun.tools.javac.Main"]
  execFileSync(toolchain.java, [...compiler, "-cp", toolchain.jar, "-d", classes, writer], { stdio: "pipe" })
  return { toolchain, classes }
}

export const remove = ({ classes }: Tool): void => fs.rmSync(classes, { recursive: true, force: true })

export interface Options {
  readonly tool: Tool
  readonly subject: Subject
  readonly configuration: SweepConfiguration
  /** What stands for modules of the specification, by name. */
  readonly mutated: Readonly<Record<string, string>>
  readonly maxStates: number
  readonly timeLimit: `${number} seconds`
}

type Failure = TlcFailure | TooManyStates

/** Runs TLC in a folder of its own. A run with more than `maxStates` ends in `TooManyStates`. */
export const graph = async (options: Options): Promise<Result.Result<Run, Failure>> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keos-mutant-"))
  try {
    for (const [name, module] of [...modules(), ...Object.entries(options.mutated)]) {
      fs.writeFileSync(path.join(folder, `${name}.tla`), module)
    }
    fs.writeFileSync(path.join(folder, "model.cfg"), options.configuration.text)
    return await Effect.runPromise(Effect.result(runIn(folder, options)))
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const runIn = (folder: string, options: Options): Effect.Effect<Run, Failure> => {
  const { configuration, maxStates, subject, timeLimit, tool } = options
  const builder = Graphs.builder(Models.named(subject.specification).variables)
  let states = 0
  const reader = makeReader(readJsonLine, (item) => {
    if (item._tag === "Edge") return builder.edge(item.source, item.target, item.action, item.arguments)
    if (++states > maxStates) throw new TooManyStates(`more than ${maxStates} states`)
    builder.state(item.id, item.initial, item.variables)
  })
  const lines = makeLineSplitter(reader.push)
  const check = {
    spec: path.join(folder, `${configuration.module}.tla`),
    config: path.join(folder, "model.cfg"),
    modulePath: [tool.classes],
    quick: true,
    timeLimit
  }
  return withWorkspace((workspace) =>
    execute(tool.toolchain, check, workspace, { main: ["GraphWriter"], onStdout: lines.push })
  ).pipe(
    Effect.flatMap(({ verdict }) => Effect.fromResult(verdict)),
    Effect.flatMap((outcome) => {
      lines.end()
      reader.end()
      const problem = reader.problem()
      return problem === undefined
        ? Effect.succeed({ outcome, graph: builder.done() })
        : Effect.fail(new TlcFailure({ reason: "Graph", message: problem.message }))
    }),
    Effect.catchDefect((defect) => defect instanceof TooManyStates ? Effect.fail(defect) : Effect.die(defect))
  )
}
