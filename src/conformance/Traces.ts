/**
 * The committed graphs: what TLC found when it last ran, for machines that have no TLC, and for the machines that have
 * one to compare with.
 */
import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Graphs from "./Graph.ts"
import * as Specification from "./Specification.ts"

/** `name` is that of a model, or `museum/` and that of an exhibit. */
export const pathOf = (name: string): string => join(Specification.home, "traces", "graphs", `${name}.json.gz`)

/**
 * Reads the committed graph of a configuration. A file that is missing, damaged, or that comes from other modules or
 * constants is refused.
 */
export const read = Effect.fn("Traces.read")(function*(
  name: string,
  checked: Specification.Checked
): Effect.fn.Return<Graphs.Graph, Specification.SpecificationError> {
  const path = pathOf(name)
  const refuse = (why: string) =>
    new Specification.SpecificationError({ message: `${Specification.shown(path)}: ${why}` })
  if (!existsSync(path)) {
    return yield* refuse("there is no such graph; with TLC at hand, 'keos check --update' writes it")
  }
  const { graph, origin } = yield* Effect.try({
    try: () => Graphs.decode(readFileSync(path)),
    catch: (error) => refuse(error instanceof Graphs.GraphError ? error.message : "the graph cannot be read")
  })
  if (origin.specification !== (yield* Specification.fingerprintOf(checked))) {
    return yield* refuse(
      `the graph is stale: ${Specification.shown(checked.module)} or ${Specification.shown(checked.origin)} has `
        + "changed since; with TLC at hand, 'keos check --update' renews it"
    )
  }
  return graph
})

export const write = Effect.fn("Traces.write")(function*(
  name: string,
  checked: Specification.Checked,
  graph: Graphs.Graph,
  tlc: string
): Effect.fn.Return<void, Specification.SpecificationError> {
  const specification = yield* Specification.fingerprintOf(checked)
  const path = pathOf(name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, Graphs.encode(Graphs.canonical(graph), { model: name, specification, tlc }))
})

/** Whether two graphs are the same graph. */
export const areEqual = (left: Graphs.Graph, right: Graphs.Graph): boolean => {
  const origin = { model: "", specification: "", tlc: "" }
  const bytes = (graph: Graphs.Graph) => Graphs.encode(Graphs.canonical(graph), origin)
  return Buffer.compare(bytes(left), bytes(right)) === 0
}
