/**
 * Offsets of groups as records of `__consumer_offsets`. Kafka's `OffsetCommitKey` and `OffsetCommitValue`, each behind its
 * version.
 */
import { Result } from "effect"
import type { GroupOffsets } from "../../core/index.ts"
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

/** The batch of a commit, which has an offset at least. */
export const encode = (
  group: string,
  offsets: ReadonlyArray<GroupOffsets.PartitionOffset>,
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
    records: offsets.map(({ offset, partition, topic }) => ({
      timestamp,
      key: versioned(Key, { group, topic, partition }),
      value: versioned(Value, { offset, metadata: "", commitTimestamp: timestamp }),
      headers: []
    }))
  })
