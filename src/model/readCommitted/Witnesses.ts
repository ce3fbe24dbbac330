/**
 * Worlds that some configuration must reach, or the properties would hold because nothing was ever aborted: each under a
 * name, with the sentence that reports use.
 */
import { Fetch } from "../../core/index.ts"
import type * as Model from "../Model.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"

type Witness = Model.Invariant<Configuration, World>

const RecordDelivered: Witness = (_, { delivered }) => delivered.length > 0

const AbortedPassed: Witness = (_, { partition, position }) =>
  partition.abortedIndex.some(({ first }) => first < position)

const FetchBeginsInAborted: Witness = (_, { partition, position }) =>
  partition.abortedIndex.some(({ first, last }) => first < position && position <= last)

const AbortedWhileParked: Witness = (_, { partition: { abortedIndex, parked } }) =>
  parked !== undefined && abortedIndex.some(({ first }) => first >= parked)

const EnclosedAborted: Witness = (_, { partition: { abortedIndex } }) =>
  abortedIndex.some(({ first }, i) => i > 0 && first < abortedIndex[i - 1]!.first)

const EmptyAbortBeforeAborted: Witness = (_, { partition: { abortedIndex, log } }) =>
  abortedIndex.some(({ first, producerId }) =>
    log.slice(0, first).some((entry, offset) =>
      entry.kind === "ABORT" && entry.producerId === producerId && abortedIndex.every(({ last }) => last !== offset)
    )
  )

const CommittedAmongAborted: Witness = (_, { delivered, partition: { abortedIndex } }) =>
  abortedIndex.some(({ first, last }) => delivered.some((offset) => first < offset && offset < last))

const CommittedBehindOpen: Witness = (_, { partition }) => {
  const end = Fetch.lastStableOffset(partition)
  return partition.log.some(({ kind }, offset) => kind === "COMMIT" && offset > end)
}

export const witnesses = {
  RecordDelivered,
  AbortedPassed,
  FetchBeginsInAborted,
  AbortedWhileParked,
  EnclosedAborted,
  EmptyAbortBeforeAborted,
  CommittedAmongAborted,
  CommittedBehindOpen
} as const

export type WitnessName = keyof typeof witnesses

/** One sentence for each, for people. */
export const sentences: Readonly<Record<WitnessName, string>> = {
  RecordDelivered: "the application was given a record",
  AbortedPassed: "the consumer has left an aborted record behind",
  FetchBeginsInAborted: "the next fetch begins in the midst of an aborted transaction",
  AbortedWhileParked: "a transaction was aborted while a fetch waited for its records",
  EnclosedAborted: "an aborted transaction encloses another that was aborted before it",
  EmptyAbortBeforeAborted: "an abort without records stands before an aborted transaction of the same producer",
  CommittedAmongAborted: "a record was delivered that stands among aborted ones",
  CommittedBehindOpen: "a transaction was committed behind one that is still open"
}
