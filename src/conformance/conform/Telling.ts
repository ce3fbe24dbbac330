/**
 * Requests and answers as people read them, in the specification's terms.
 */
import { inspect } from "node:util"
import { Sequence } from "../../core/index.ts"
import type { Transactions } from "../../model/index.ts"
import * as Subject from "./Subject.ts"

type Request = Transactions.Requests.Request
type Answer = Transactions.Requests.Answer

/** `Produce v2 of id 1 as current to A, next`: who it says it is from, and what is asked. */
export const request = (asked: Request): string => {
  if (asked._tag === "TransactionTimeout") return `nothing, until the transaction of id ${asked.id} takes too long`
  const who = `of id ${asked.id} as ${asked.identity}`
  switch (asked._tag) {
    case "InitProducerId":
      return `InitProducerId ${who}`
    case "AddPartitionsToTxn":
      return Subject.isGroup(asked.partition)
        ? `AddOffsetsToTxn ${who}`
        : `AddPartitionsToTxn ${who}, ${asked.partition}`
    case "VerifyPartition":
      return `AddPartitionsToTxn ${who}, verifyOnly ${asked.partition}`
    case "EndTxn":
      return `EndTxn v${asked.version} ${who}, ${asked.result}`
    case "Produce": {
      if (asked.position === "none") return `TxnOffsetCommit v${asked.version} ${who}`
      const records = asked.records === 1 ? "" : `, ${asked.records} records`
      return `Produce v${asked.version} ${who} to ${asked.partition}, ${asked.position}${records}`
    }
    case "WriteTxnMarker":
      return `WriteTxnMarkers v${asked.version} ${who} to ${asked.partition}, ${asked.result}, `
        + `coordinator epoch ${asked.coordinatorEpoch}`
  }
}

export const answer = ({ epoch, error, offset, producerId }: Answer): string =>
  [
    error === "NONE" ? "done" : error,
    ...(producerId === Sequence.none ? [] : [`producer id ${producerId}, epoch ${epoch}`]),
    ...(offset === Sequence.none ? [] : [`offset ${offset}`])
  ].join(", ")

/** Anything that is compared, on one line. */
export const value = (compared: unknown): string =>
  typeof compared === "string" ? compared : inspect(compared, { breakLength: Number.POSITIVE_INFINITY, depth: null })
