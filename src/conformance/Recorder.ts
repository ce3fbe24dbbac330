/**
 * Writes event logs of a runtime that is held still: it takes the steps that it is given, one at a time, and says of each
 * what was seen of the runtime afterwards.
 */
import { type Encoders, stateOf } from "../model/Codec.ts"
import { render, worldAfter } from "../model/Model.ts"
import type { Driver } from "./Driver.ts"
import * as EventLog from "./EventLog.ts"

/** What a line observes: the whole state, the places that the step changed, or nothing. */
export type Detail = "state" | "changes" | "nothing"

/** An action with its arguments. */
export type Call = Pick<EventLog.Line, "action" | "arguments">

const observing = <World>(
  encoders: Encoders<string, World>,
  detail: Detail,
  before: World,
  after: World
): Pick<EventLog.Line, "observed" | "places"> => {
  switch (detail) {
    case "state":
      return { observed: stateOf(encoders, after) }
    case "changes":
      return { places: EventLog.changes(stateOf(encoders, before), stateOf(encoders, after)) }
    case "nothing":
      return {}
  }
}

/**
 * The log of a runtime that takes these steps from its initial state; the last line observes the whole state, whatever the
 * others do. Throws where the runtime or the model cannot take one: what the environment owns, such as the budget of
 * faults, comes from the model.
 */
export function* record<Configuration, World>(
  { model, start }: Driver<Configuration, World>,
  configuration: Configuration,
  calls: ReadonlyArray<Call>,
  detail: Detail
): Generator<EventLog.Line, void> {
  const controlled = start(configuration)
  const encoders = model.encoders(configuration)
  let expected = model.initial(configuration)
  let seen = controlled.project(expected)
  for (const [index, { action, arguments: instance }] of calls.entries()) {
    const call = { action, arguments: instance }
    const next = worldAfter(model, configuration, expected, call)
    // The runtime is told by labels, which are texts.
    const possible = controlled.perform({ action, arguments: instance.map(String) })
    if (next === undefined || !possible) throw new Error(`step ${index + 1}, ${render(call)}, is not possible`)
    expected = next
    const reached = controlled.project(expected)
    const isLast = index === calls.length - 1
    yield { ...call, ...observing(encoders, isLast ? "state" : detail, seen, reached) }
    seen = reached
  }
  controlled.close()
}
