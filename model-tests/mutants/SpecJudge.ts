/**
 * Judges mutants of the specification: TLC's graph of the mutated module is replayed against the code as it is.
 */
import { Result } from "effect"
import * as Graphs from "../../src/conformance/Graph.ts"
import * as Replay from "../../src/conformance/Replay.ts"
import type { Configured } from "../../src/model/Model.ts"
import * as Models from "../../src/model/Models.ts"
import { Config } from "../../src/tlc/index.ts"
import type { Answer } from "./Replaying.ts"
import type { Subject, SweepConfiguration } from "./Subject.ts"
import * as Tlc from "./Tlc.ts"

/** A graph this much larger than that of the specification need not be complete to be different. */
const growth = 2

export interface Options {
  readonly tool: Tlc.Tool
  readonly subject: Subject
  readonly configuration: SweepConfiguration
  /** The number of states without the mutant. */
  readonly states: number
  /** The mutated module, by its name. */
  readonly mutated: Readonly<Record<string, string>>
}

/** What is different with the mutant, if anything: a violation, an error of evaluation, or another graph. */
export const ask = async ({ configuration, mutated, states, subject, tool }: Options): Promise<Answer> => {
  const ran = await Tlc.graph({
    tool,
    subject,
    configuration,
    mutated,
    maxStates: states * growth,
    timeLimit: "600 seconds"
  })
  if (Result.isFailure(ran)) {
    const { failure } = ran
    if (failure instanceof Tlc.TooManyStates) return failure.message
    // A mutant that is no TLA+ would be a mistake of the sweep, and one that takes too long says nothing of itself.
    if (["Options", "Guard", "Config", "Parse", "Start", "Killed", "TimeLimit"].includes(failure.reason)) throw failure
    return `${failure.reason}: ${failure.message.split("\n")[0]}`
  }
  const { graph, outcome } = ran.success
  if (outcome._tag === "Violated") return `${outcome.property ?? outcome.kind} is violated`
  const { divergences, first } = Replay.replay({ ...read(subject, configuration), graph })
  if (divergences === 0) return undefined
  return `${divergences} divergences, first: ${first[0]!.kind} ${first[0]!.step ?? ""}`.trim()
}

/** The configuration as the code sees it. */
const read = ({ specification }: Subject, { text }: SweepConfiguration): Configured => {
  const model = Models.named(specification)
  const { constants, substitutions } = Result.getOrThrow(Config.parse(text))
  const rules = Object.entries(substitutions).map(([rule, { definition }]) => [rule, definition] as const)
  return { model, configuration: model.configuration(constants, Object.fromEntries(rules)) }
}

/** The states of a graph. */
export const size = (graph: Uint8Array): number => Graphs.stateCount(Graphs.decode(graph).graph)
