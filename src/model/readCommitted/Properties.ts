/**
 * What must be true of every world: the properties of the specification under their own names, each with the sentence
 * that reports use.
 */
import { Fetch } from "../../core/index.ts"
import type * as Model from "../Model.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"

type Invariant = Model.Invariant<Configuration, World>

/** How the transaction of a record ended: by the next marker of its producer id. */
const fate = ({ log }: Fetch.Partition, offset: number): Fetch.Entry["kind"] | "OPEN" => {
  const { producerId } = log[offset]!
  const marker = log.find((entry, at) => at > offset && Fetch.isMarker(entry) && entry.producerId === producerId)
  return marker?.kind ?? "OPEN"
}

const NoAbortedRead: Invariant = (_, { delivered, partition }) =>
  delivered.every((offset) => fate(partition, offset) !== "ABORT")

const NoUncommittedRead: Invariant = (_, { delivered, partition }) =>
  delivered.every((offset) => fate(partition, offset) !== "OPEN")

const NoLoss: Invariant = (_, { delivered, partition, position }) =>
  partition.log.slice(0, position).every((entry, offset) =>
    Fetch.isMarker(entry) || fate(partition, offset) !== "COMMIT" || delivered.includes(offset)
  )

const InOrder: Invariant = (_, { delivered }) => delivered.every((offset, i) => i === 0 || delivered[i - 1]! < offset)

/** Properties of a world. */
export const invariants = { NoAbortedRead, NoUncommittedRead, NoLoss, InOrder } as const

/** There are no properties of a step. */
export const stepProperties = {} as const

export type PropertyName = keyof typeof invariants

/** One sentence for each, for people. */
export const sentences: Readonly<Record<PropertyName, string>> = {
  NoAbortedRead: "the application gets no record of an aborted transaction",
  NoUncommittedRead: "the application gets no record before its transaction is decided",
  NoLoss: "every committed record before the consumer's position was given to the application",
  InOrder: "the application gets records once, in the order of the log"
}

/** What only TLC judges, and why. */
export const leftToTlc = { TypeOK: "the types of the code say as much" } as const
