/**
 * Control records: what is written into a partition for its readers, not by applications. Of these the marker that ends a
 * transaction is known. Kafka's `ControlRecordType` and `EndTransactionMarker`.
 *
 *     key: Version int16, Type int16; value of a marker: Version int16, CoordinatorEpoch int32
 *
 * Later versions may say more after that.
 */
import { Result } from "effect"
import type { Transaction } from "../core/index.ts"
import * as BatchBuilder from "./BatchBuilder.ts"
import * as BatchHeader from "./BatchHeader.ts"
import * as Bytes from "./Bytes.ts"
import type { InvalidBatch } from "./InvalidBatch.ts"
import type { Record } from "./Records.ts"

export type ControlRecord =
  | { readonly _tag: "EndTransactionMarker"; readonly result: Transaction.Result; readonly coordinatorEpoch: number }
  /** Of a type that readers pass over, as those of Kafka's quorum. */
  | { readonly _tag: "Unknown"; readonly type: number }

/** A marker with the batch that it is alone in. */
export interface Marker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly result: Transaction.Result
  readonly coordinatorEpoch: number
  readonly timestamp: number
}

/** By type. */
const results: ReadonlyArray<Transaction.Result> = ["ABORT", "COMMIT"]
const VERSION = 0
const MARKER_BATCH_SIZE = 128

const keyOf = (result: Transaction.Result): Uint8Array => {
  const out = Bytes.writer(4)
  Bytes.writeInt16(out, VERSION)
  Bytes.writeInt16(out, results.indexOf(result))
  return out.bytes
}

const valueOf = (coordinatorEpoch: number): Uint8Array => {
  const out = Bytes.writer(6)
  Bytes.writeInt16(out, VERSION)
  Bytes.writeInt32(out, coordinatorEpoch)
  return out.bytes
}

/** The batch that ends a transaction. `MemoryRecords.withEndTransactionMarker`. */
export const encodeMarker = (marker: Marker): Uint8Array => {
  const { coordinatorEpoch, producerEpoch, producerId, result, timestamp } = marker
  const builder = BatchBuilder.make("none", MARKER_BATCH_SIZE)
  BatchBuilder.append(builder, { timestamp, key: keyOf(result), value: valueOf(coordinatorEpoch), headers: [] })
  return BatchBuilder.close(builder, {
    ...BatchHeader.noProducer,
    producerId,
    producerEpoch,
    isTransactional: true,
    isControl: true
  })
}

const readVersioned = <A>(bytes: Uint8Array | null, read: (from: Bytes.Reader) => A): A => {
  const from = Bytes.reader(bytes ?? new Uint8Array())
  const version = Bytes.readInt16(from)
  if (version < 0) throw new Bytes.MalformedError({ position: 0, message: `version ${version} of a control record` })
  return read(from)
}

/** What the record of a control batch says. */
export const read = ({ key, value }: Pick<Record, "key" | "value">): Result.Result<ControlRecord, InvalidBatch> => {
  try {
    const type = readVersioned(key, Bytes.readInt16)
    const result = results[type]
    return Result.succeed(
      result === undefined
        ? { _tag: "Unknown", type }
        : { _tag: "EndTransactionMarker", result, coordinatorEpoch: readVersioned(value, Bytes.readInt32) }
    )
  } catch (cause) {
    if (cause instanceof Bytes.MalformedError) {
      return Result.fail({ _tag: "InvalidRecord", index: 0, reason: cause.message })
    }
    throw cause
  }
}
