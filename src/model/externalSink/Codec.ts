/**
 * The codec between a TLC state and a `World`. It is total in both directions: every variable of the specification has
 * its image, and a `World` has nothing besides.
 *
 * It shares names with the specification and no logic.
 */
import type { ExternalSink, SinkMember } from "../../core/index.ts"
import * as Codec from "../Codec.ts"
import { elements, field, integer, items, numbered, record, sequence, truth } from "../Codec.ts"
import type { Value } from "../TlaValue.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"
import { inOrder } from "./World.ts"

/** The variables of `ExternalSink.tla`. */
export const variables = ["generation", "member", "fence", "stored", "outputs", "inFlight"] as const

export type Variable = typeof variables[number]

/** The specification's `None`. */
const none = -1

const readOffset = (value: Value): number | undefined => {
  const offset = integer(value)
  return offset === none ? undefined : offset
}

const readMember = (value: Value): SinkMember.Member => ({
  generation: numbered(value, "generation"),
  connection: numbered(value, "connection"),
  fenced: truth(field(value, "fenced")),
  position: readOffset(field(value, "position")),
  batch: readOffset(field(value, "batch")),
  step: numbered(value, "step")
})

const readRow = (value: Value): ExternalSink.Row => ({
  offset: numbered(value, "offset"),
  generation: numbered(value, "generation")
})

const readTransaction = (value: Value): ExternalSink.Transaction => ({
  generation: numbered(value, "generation"),
  connection: numbered(value, "connection"),
  batch: numbered(value, "batch"),
  step: numbered(value, "step")
})

const parts = {
  generation: Codec.part(["generation"], (_: Configuration, value) => integer(value("generation"))),
  members: Codec.part(["member"], (_: Configuration, value) => items(value("member")).map(readMember)),
  storage: Codec.part(
    ["fence", "stored", "outputs"],
    (_: Configuration, value): ExternalSink.Storage => ({
      fence: integer(value("fence")),
      stored: integer(value("stored")),
      outputs: items(value("outputs")).map(readRow)
    })
  ),
  inFlight: Codec.part(
    ["inFlight"],
    (_: Configuration, value) => inOrder(elements(value("inFlight")).map(readTransaction))
  )
}

const encoders = (_: Configuration): Codec.Encoders<Variable, World> => ({
  generation: ({ generation }) => generation,
  member: ({ members }) =>
    sequence(
      members.map((member) => record({ ...member, position: member.position ?? none, batch: member.batch ?? none }))
    ),
  fence: ({ storage }) => storage.fence,
  stored: ({ storage }) => storage.stored,
  outputs: ({ storage }) => sequence(storage.outputs.map((row) => record({ ...row }))),
  inFlight: ({ inFlight }) => Codec.set(inFlight.map((transaction) => record({ ...transaction })))
})

export const codec = Codec.make({
  variables,
  parts,
  assemble: (world: World): World => world,
  encoders
})
