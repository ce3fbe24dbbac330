/**
 * A record as a consumer gets it, and what is made of it.
 */
import { Result } from "effect"
import type { TopicPartition } from "../../core/index.ts"
import type { Records } from "../../wire/index.ts"
import * as Serde from "./Serde.ts"

/** Kafka's `ConsumerRecord`. Bytes are views of what was fetched: who keeps a record keeps its batch. */
export interface ConsumerRecord<Key = Uint8Array | null, Value = Uint8Array | null>
  extends TopicPartition.TopicPartition
{
  readonly offset: number
  /** In ms since 1970; -1 for none. */
  readonly timestamp: number
  readonly key: Key
  readonly value: Value
  readonly headers: ReadonlyArray<Records.RecordHeader>
}

/** The record with key and value that are no bytes any more; `null` stays `null`. */
export const deserialize = <Key, Value>(
  record: ConsumerRecord,
  by: { readonly key: Serde.Deserializer<Key>; readonly value: Serde.Deserializer<Value> }
): Result.Result<ConsumerRecord<Key | null, Value | null>, Serde.SerializationError> =>
  Result.flatMap(Serde.deserialize(by.key, record.topic, "key", record.key), (key) =>
    Result.map(
      Serde.deserialize(by.value, record.topic, "value", record.value),
      (value) => ({ ...record, key, value })
    ))
