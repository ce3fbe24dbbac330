/**
 * The log of the transaction coordinators, `__transaction_state`: what is left of a coordinator when it dies.
 *
 * A coordinator opens the log when it begins and reads what its predecessors wrote. Only the last record of a
 * transactional id counts; the record of an id that is forgotten is a tombstone.
 */
import { Context, Data, Effect, Layer } from "effect"
import { TransactionMetadata } from "../../core/index.ts"

/** The append failed for whoever appended. The record may be in the log all the same. */
export class AppendFailed extends Data.TaggedError("AppendFailed")<{
  readonly transactionalId: number
  readonly reason: string
}> {
  override get message() {
    return `no record of transactional id ${this.transactionalId} could be appended: ${this.reason}`
  }
}

/** A coordinator's access to the log. */
export class TransactionLog extends Context.Service<TransactionLog, {
  /** When this succeeds the record is durable. */
  readonly append: (transactionalId: number, record: TransactionMetadata.Metadata) => Effect.Effect<void, AppendFailed>
  /** The last record of a transactional id; `TransactionMetadata.unknown` when there is none. */
  readonly load: (transactionalId: number) => Effect.Effect<TransactionMetadata.Metadata>
}>()("keos/runtime/TransactionLog") {
  /** Records in memory that outlive the coordinators. */
  static readonly layerMemory = (records: Records): Layer.Layer<TransactionLog> =>
    Layer.succeed(this, {
      append: (transactionalId, record) => Effect.sync(() => void records.set(transactionalId, record)),
      load: (transactionalId) => Effect.sync(() => records.get(transactionalId) ?? TransactionMetadata.unknown)
    })
}

/** The last record by transactional id. */
export type Records = Map<number, TransactionMetadata.Metadata>

/** How an append ends. `unknown` fails, although the record is written. */
export type Ending = "durable" | "failed" | "unknown"

/** An append to the log that ends like this; `failed` never reaches the log. */
export const appendEnding = Effect.fnUntraced(function*(
  log: TransactionLog["Service"],
  transactionalId: number,
  record: TransactionMetadata.Metadata,
  ending: Ending
): Effect.fn.Return<void, AppendFailed> {
  if (ending !== "failed") yield* log.append(transactionalId, record)
  if (ending !== "durable") return yield* new AppendFailed({ transactionalId, reason: "NOT_ENOUGH_REPLICAS" })
})
