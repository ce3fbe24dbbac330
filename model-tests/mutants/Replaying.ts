/**
 * A worker that compares code in some folder with the reference graphs. A worker, because a mutant may never end.
 */
import { Result } from "effect"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { parentPort, workerData } from "node:worker_threads"
import * as Graphs from "../../src/conformance/Graph.ts"
import type * as Replay from "../../src/conformance/Replay.ts"
import type * as Model from "../../src/model/index.ts"
import * as Config from "../../src/tlc/Config.ts"

/** What a worker is made with. */
export interface Reference {
  /** Of the model that is judged. */
  readonly specification: string
  readonly name: string
  /** The text of the `.cfg` file. */
  readonly text: string
  /** Properties in which the explorer must find no violation. */
  readonly watched: ReadonlyArray<string>
  /** TLC's graph, encoded. */
  readonly graph: Uint8Array
}

export interface Question {
  /** Folder with `model/` and `conformance/` of the code in question. */
  readonly source: string
  /** Name of the configuration to compare in. */
  readonly configuration: string
}

/** What the code does differently from the specification, if anything. */
export type Answer = string | undefined

interface Case extends Pick<Reference, "specification" | "watched"> {
  readonly config: Config.Config
  readonly graph: Graphs.Graph
}

const cases = new Map(
  (workerData as ReadonlyArray<Reference>).map((
    { graph, name, specification, text, watched }
  ): readonly [string, Case] => [
    name,
    { specification, watched, config: Result.getOrThrow(Config.parse(text)), graph: Graphs.decode(graph).graph }
  ])
)

const compare = async ({ configuration: name, source }: Question): Promise<Answer> => {
  const load = async (file: string): Promise<unknown> => import(pathToFileURL(path.join(source, file)).href)
  const { Explorer, Models } = await load("model/index.ts") as typeof Model
  const { replay } = await load("conformance/Replay.ts") as typeof Replay
  const { config, graph, specification, watched } = cases.get(name)!
  const model = Models.named(specification)
  const configuration = model.configuration(
    config.constants,
    Object.fromEntries(Object.entries(config.substitutions).map(([rule, { definition }]) => [rule, definition]))
  )
  const { divergences, first } = replay({ model, configuration, graph })
  if (divergences > 0) {
    return `${divergences} divergences, first: ${first[0]!.kind} ${first[0]!.step ?? ""}`.trim()
  }
  if (watched.length === 0) return undefined
  const { violation } = Explorer.explore({ model, configuration, properties: watched })
  return violation === undefined ? undefined : `${violation.property} is violated`
}

parentPort!.on("message", (question: Question) => {
  compare(question).catch((error: unknown) => String(error).split("\n")[0]).then(
    (answer) => parentPort!.postMessage(answer),
    () => undefined
  )
})
