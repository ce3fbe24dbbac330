/**
 * The codec between a TLC state and a `World`. It is total in both directions: every variable of the specification has
 * its image, and a `World` has nothing besides.
 *
 * It shares names with the specification and no logic.
 */
import type { Fetch } from "../../core/index.ts"
import * as Codec from "../Codec.ts"
import { field, integer, items, numbered, record, sequence } from "../Codec.ts"
import type { Value } from "../TlaValue.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"

/** The variables of `ReadCommitted.tla`. */
export const variables = ["log", "abortedIndex", "parked", "position", "delivered"] as const

export type Variable = typeof variables[number]

/** The specification's `None`. */
const none = -1

const readEntry = (value: Value): Fetch.Entry => ({
  kind: Codec.oneOf("the kind of an entry", ["DATA", "COMMIT", "ABORT"] as const, field(value, "kind")),
  producerId: numbered(value, "producerId")
})

const readAborted = (value: Value): Fetch.AbortedTransaction => ({
  producerId: numbered(value, "producerId"),
  first: numbered(value, "first"),
  last: numbered(value, "last")
})

const readParked = (value: Value): number | undefined => {
  const parked = integer(value)
  return parked === none ? undefined : parked
}

const parts = {
  log: Codec.part(["log"], (_: Configuration, value) => items(value("log")).map(readEntry)),
  abortedIndex: Codec.part(
    ["abortedIndex"],
    (_: Configuration, value) => items(value("abortedIndex")).map(readAborted)
  ),
  parked: Codec.part(["parked"], (_: Configuration, value) => readParked(value("parked"))),
  position: Codec.part(["position"], (_: Configuration, value) => integer(value("position"))),
  delivered: Codec.part(["delivered"], (_: Configuration, value) => items(value("delivered")).map(integer))
}

const encoders = (_: Configuration): Codec.Encoders<Variable, World> => ({
  log: ({ partition }) => sequence(partition.log.map(({ kind, producerId }) => record({ kind, producerId }))),
  abortedIndex: ({ partition }) => sequence(partition.abortedIndex.map((aborted) => record({ ...aborted }))),
  parked: ({ partition }) => partition.parked ?? none,
  position: ({ position }) => position,
  delivered: ({ delivered }) => sequence(delivered)
})

export const codec = Codec.make({
  variables,
  parts,
  assemble: ({ abortedIndex, delivered, log, parked, position }): World => ({
    partition: { log, abortedIndex, parked },
    position,
    delivered
  }),
  encoders
})
