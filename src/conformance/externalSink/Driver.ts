/**
 * The runtime of sinks and their members, held still.
 *
 * A sink is made by rules, so the runtime has those of every configuration. Members are as applications have them; a
 * configuration that changes what members do has no runtime.
 */
import { SinkRules } from "../../core/index.ts"
import type { Configuration } from "../../model/externalSink/Configuration.ts"
import { model } from "../../model/externalSink/Model.ts"
import type { World } from "../../model/externalSink/World.ts"
import { Sinks } from "../../runtime/index.ts"
import type { Driver } from "../Driver.ts"
import type { Call } from "../Graph.ts"

/** The action of the runtime that a call names; the specification's members count from 1. */
const actionOf = ({ action, arguments: [first, second] }: Call): Sinks.Controlled.Action => {
  switch (action) {
    case "Join":
    case "Fence":
    case "Restore":
    case "Poll":
    case "Submit":
    case "Disconnect":
    case "Crash":
      return { _tag: action, member: Number(first) - 1 }
    case "Execute":
      return { _tag: "Execute", generation: Number(first), connection: Number(second) }
    default:
      throw new Error(`the runtime has no ${action}`)
  }
}

/** The rules that are the runtime's own. */
const ofMembers = ["MayFence", "MayRestore", "AfterUnknown"] as const

export const driver: Driver<Configuration, World> = {
  model,
  start: ({ inputs, members, rules }) => {
    const other = ofMembers.find((rule) => rules[rule] !== SinkRules.base[rule])
    if (other !== undefined) throw new Error(`the runtime has no other ${other}`)
    const controlled = Sinks.Controlled.make({ rules, members, inputs })
    return {
      perform: (call) => controlled.perform(actionOf(call)),
      project: controlled.snapshot,
      close: controlled.close
    }
  }
}
