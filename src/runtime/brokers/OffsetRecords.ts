/**
 * Offsets of groups as records of `__consumer_offsets`. Kafka's `OffsetCommitKey` and `OffsetCommitValue`, each behind its
 * version.
 */
import { Result } from "effect"
import { type GroupOffsets, TopicPartition } from "../../core/index.ts"
import { BatchHeader, Bytes, type Definition, Message, RecordBatch } from "../../wire/index.ts"
import type { Identity } from "../client/Requests.ts"

const Key = {
  name: "OffsetCommitKey",
  versions: [1, 1],
  flexible: Infinity,
  fields: { group: { type: "string" }, topic: { type: "string" }, partition: { type: "int32" } }
} as const satisfies Definition.Definition

const Value = {
  name: "OffsetCommitValue",
  versions: [3, 3],
  flexible: Infinity,
  fields: {
    offset: { type: "int64" },
    leaderEpoch: { type: "int32", default: -1 },
    metadata: { type: "string" },
    commitTimestamp: { type: "int64" }
  }
} as const satisfies Definition.Definition

/** An int16. */
const VERSION_SIZE = 2

const versioned = <F extends Definition.Fields>(
  definition: Definition.Definition<F>,
  message: Definition.Input<F>
): Uint8Array => {
  const [version] = definition.versions
  const out = Bytes.writer(64)
  Bytes.writeInt16(out, version)
  Result.getOrThrow(Message.write(out, definition, version, message))
  return Bytes.written(out)
}

/** What a client writes beside an offset, for itself. */
export interface Note {
  /** "" for nothing. */
  readonly metadata: string
  /** That of the last record before the offset, or -1. */
  readonly leaderEpoch: number
}

export const noNote: Note = { metadata: "", leaderEpoch: -1 }

/** An offset, perhaps with a note. */
export interface Committed extends GroupOffsets.PartitionOffset {
  readonly note?: Note
}

/** The batch of a commit, which has an offset at least. */
export const encode = (
  group: string,
  offsets: ReadonlyArray<Committed>,
  timestamp: number,
  transactional: Identity | undefined
): Uint8Array =>
  RecordBatch.encode({
    ...BatchHeader.noProducer,
    ...(transactional === undefined
      ? {}
      : { producerId: transactional.producerId, producerEpoch: transactional.producerEpoch }),
    compression: "none",
    isTransactional: transactional !== undefined,
    records: offsets.map(({ note = noNote, offset, partition, topic }) => ({
      timestamp,
      key: versioned(Key, { group, topic, partition }),
      value: versioned(Value, { offset, ...note, commitTimestamp: timestamp }),
      headers: []
    }))
  })

const read = <F extends Definition.Fields>(
  definition: Definition.Definition<F>,
  bytes: Uint8Array | null
): Definition.Message<F> => {
  const [version] = definition.versions
  return Result.getOrThrow(Message.decode(definition, version, bytes!.subarray(VERSION_SIZE)))
}

/** The note of the last offset of the partition in a batch that was encoded here. */
export const noteOf = (batch: Uint8Array, partition: TopicPartition.TopicPartition): Note => {
  const { records } = Result.getOrThrow(RecordBatch.decode(batch))
  const found = records.findLast(({ key }) => TopicPartition.key(read(Key, key)) === TopicPartition.key(partition))
  return found === undefined ? noNote : read(Value, found.value)
}
