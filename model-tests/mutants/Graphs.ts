/**
 * The reference graphs, one for each sweep configuration: made by TLC once, and kept beside the installed packages until
 * the specification or the configuration changes.
 */
import { Result } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { canonical, decode, encode } from "../../src/conformance/Graph.ts"
import type { Reference } from "./Replaying.ts"
import type { Subject, SweepConfiguration } from "./Subject.ts"
import * as Tlc from "./Tlc.ts"

const folder = path.join(import.meta.dirname, "../../node_modules/.cache/keos-guards")

const fileOf = ({ name }: SweepConfiguration): string => path.join(folder, `${name}.graph.gz`)

const reference = (
  { specification }: Subject,
  { name, text, watched }: SweepConfiguration,
  graph: Uint8Array
): Reference => ({ specification, name, text, watched, graph })

/** The graph that is kept, unless there is none or it is another specification's. */
export const kept = (subject: Subject, configuration: SweepConfiguration): Reference | undefined => {
  const file = fileOf(configuration)
  if (!fs.existsSync(file)) return undefined
  const graph = fs.readFileSync(file)
  const isCurrent = decode(graph).origin.specification === Tlc.fingerprint(subject, configuration)
  return isCurrent ? reference(subject, configuration, graph) : undefined
}

/** Makes the graph and keeps it. Throws where TLC gives none, or finds the specification itself wrong. */
export const make = async (
  tool: Tlc.Tool,
  subject: Subject,
  configuration: SweepConfiguration
): Promise<Reference> => {
  const ran = await Tlc.graph({
    tool,
    subject,
    configuration,
    mutated: {},
    maxStates: Number.POSITIVE_INFINITY,
    timeLimit: "600 seconds"
  })
  const { graph, outcome } = Result.getOrThrow(ran)
  if (outcome._tag === "Violated") {
    throw new Error(`${configuration.name}: ${outcome.property ?? outcome.kind} is violated without any mutant`)
  }
  const bytes = encode(canonical(graph), {
    model: configuration.name,
    specification: Tlc.fingerprint(subject, configuration),
    tlc: tool.toolchain.version
  })
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(fileOf(configuration), bytes)
  return reference(subject, configuration, bytes)
}
