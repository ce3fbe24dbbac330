/**
 * The specification under TLC: one verdict for one configuration, with the state graph where it is wanted.
 */
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { check, type Outcome, StateGraph, TlcFailure, type Toolchain } from "../tlc/index.ts"
import * as Graphs from "./Graph.ts"
import * as Specification from "./Specification.ts"

/** Runs `use` with the configuration as a file in a folder of its own. */
const withConfig = <A, E, R>(
  checked: Specification.Checked,
  use: (path: string) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "keos-"))),
    (folder) => {
      const path = join(folder, "model.cfg")
      writeFileSync(path, Specification.print(checked.config))
      return use(path)
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

const heap = "2g"

/** States between two reports of progress. */
const progressInterval = 1024

export interface Options {
  /** Called with the number of distinct states, now and then. */
  readonly onProgress?: (distinct: number) => void
  /** The run is short: start faster and run slower. */
  readonly quick?: boolean
}

const runOptions = (checked: Specification.Checked, config: string, options: Options) => ({
  spec: checked.module,
  config,
  modulePath: [Specification.folder],
  heap,
  ...(options.quick === true ? { quick: true } : {}),
  ...(options.onProgress === undefined
    ? {}
    : { onProgress: ({ distinct }: { readonly distinct: number }) => options.onProgress?.(distinct) })
})

/** TLC's verdict. One worker: then counterexamples are shortest, and liveness is reliable. */
export const verdict = (
  toolchain: Toolchain.Toolchain,
  checked: Specification.Checked,
  options: Options = {}
): Effect.Effect<Outcome, TlcFailure> =>
  withConfig(checked, (config) => check(toolchain, runOptions(checked, config, options)))

/** TLC's verdict and its state graph. */
export const graph = (
  toolchain: Toolchain.Toolchain,
  checked: Specification.Checked,
  options: Options = {}
): Effect.Effect<{ readonly outcome: Outcome; readonly graph: Graphs.Graph }, TlcFailure> =>
  withConfig(checked, (config) =>
    Effect.gen(function*() {
      const builder = Graphs.builder(checked.model.variables)
      // TLC itself says how far it is once a minute.
      let states = 0
      const { outcome } = yield* StateGraph.stream(toolchain, {
        ...runOptions(checked, config, options),
        onItem: (item) => {
          if (item._tag === "Edge") return builder.edge(item.source, item.target, item.action, item.arguments)
          builder.state(item.id, item.initial, item.variables)
          states++
          if (states % progressInterval === 0) options.onProgress?.(states)
        }
      })
      return { outcome, graph: builder.done() }
    }).pipe(
      Effect.catchDefect((defect) =>
        defect instanceof Graphs.GraphError
          ? Effect.fail(new TlcFailure({ reason: "Graph", message: defect.message }))
          : Effect.die(defect)
      )
    ))
