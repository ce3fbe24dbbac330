/**
 * Gets to know a broker before it is judged: which versions it understands, that both of its coordinators are there, and which
 * coordinator epoch its markers have now.
 */
import { Clock, Effect } from "effect"
import { Remote } from "../../runtime/index.ts"
import { BatchHeader, Messages, RecordBatch } from "../../wire/index.ts"
import * as Asking from "./Asking.ts"
import * as Dialect from "./Dialect.ts"
import { NoTarget } from "./NoTarget.ts"

type Connection = Remote.Connection.Connection
type Unexpected = Remote.Connection.ConnectionError

export interface Target {
  readonly address: Remote.Connection.Options
  readonly apiVersions: Dialect.ApiVersions
  readonly dialect: Dialect.Dialect
  /** How long it may take to abort a transaction after its time, in milliseconds. */
  readonly timeoutPatienceMs: number
}

/** A broker that has just started makes the topics of its coordinators when they are first asked for. */
const readyWithinMs = 30_000
const pauseMs = 50

const untilNone = (
  what: string,
  asked: Effect.Effect<number, Unexpected>
): Effect.Effect<void, NoTarget | Unexpected> =>
  Effect.gen(function*() {
    const deadline = (yield* Clock.currentTimeMillis) + readyWithinMs
    for (;;) {
      const code = yield* asked
      if (code === 0) return
      if ((yield* Clock.currentTimeMillis) > deadline) {
        return yield* new NoTarget({ message: `the broker still answers ${Asking.errorOf(code)} to ${what}` })
      }
      yield* Effect.sleep(pauseMs)
    }
  })

const keyTypes = [0, 1] as const

const warmUp = Effect.fnUntraced(function*(connection: Connection, dialect: Dialect.Dialect, run: string) {
  for (const keyType of keyTypes) {
    yield* untilNone(
      "FindCoordinator",
      Effect.map(
        connection.request(Messages.FindCoordinator, dialect.FindCoordinator, {
          key: "",
          keyType,
          coordinatorKeys: [`keos-${run}`]
        }),
        ({ coordinators }) => coordinators[0]?.errorCode ?? Asking.missing
      )
    )
  }
  yield* untilNone(
    "InitProducerId",
    Effect.map(
      connection.request(Messages.InitProducerId, dialect.InitProducerId, {
        transactionalId: `keos-${run}`,
        transactionTimeoutMs: 60_000
      }),
      ({ errorCode }) => errorCode
    )
  )
  yield* untilNone(
    "OffsetFetch",
    Effect.map(
      connection.request(Messages.OffsetFetch, dialect.OffsetFetch, {
        groups: [{ groupId: `keos-${run}`, topics: [] }]
      }),
      ({ groups }) => groups[0]?.errorCode ?? Asking.missing
    )
  )
})

/** Commits a transaction on a partition, and asks which coordinator's epoch its marker has. */
export const coordinatorEpoch = Effect.fnUntraced(function*(
  connection: Connection,
  dialect: Dialect.Dialect,
  run: string,
  { partition, topic }: { readonly topic: string; readonly partition: number }
) {
  const transactionalId = `keos-${run}`
  const { producerEpoch, producerId } = yield* connection.request(Messages.InitProducerId, dialect.InitProducerId, {
    transactionalId,
    transactionTimeoutMs: 60_000
  })
  yield* connection.request(Messages.AddPartitionsToTxn, dialect.AddPartitionsToTxn, {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: topic, partitions: [partition] }]
  })
  const records = RecordBatch.encode({
    ...BatchHeader.noProducer,
    producerId,
    producerEpoch,
    baseSequence: 0,
    isTransactional: true,
    compression: "none",
    records: [{ timestamp: 0, key: null, value: new Uint8Array(1), headers: [] }]
  })
  yield* connection.request(Messages.Produce, dialect.Produce[1], {
    transactionalId,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }]
  })
  yield* connection.request(Messages.EndTxn, dialect.EndTxn[1], {
    transactionalId,
    producerId,
    producerEpoch,
    committed: true
  })
  const deadline = (yield* Clock.currentTimeMillis) + readyWithinMs
  for (;;) {
    const answer = yield* connection.request(Messages.DescribeProducers, dialect.DescribeProducers, {
      topics: [{ name: topic, partitionIndexes: [partition] }]
    })
    const known = answer.topics[0]?.partitions[0]?.activeProducers.find((one) => one.producerId === producerId)
    if (known !== undefined && known.currentTxnStartOffset < 0 && known.coordinatorEpoch >= 0) {
      return known.coordinatorEpoch
    }
    if ((yield* Clock.currentTimeMillis) > deadline) {
      return yield* new NoTarget({ message: "the broker does not end a transaction that is committed" })
    }
    yield* Effect.sleep(pauseMs)
  }
})

/**
 * Asks the broker at an address what it understands, and waits until its coordinators are there. `run` names what it is
 * asked about.
 */
export const know = (
  address: Remote.Connection.Options,
  run: string
): Effect.Effect<Pick<Target, "address" | "apiVersions" | "dialect">, NoTarget | Unexpected> =>
  Effect.scoped(Effect.gen(function*() {
    const connection = yield* Remote.Connection.connect(address)
    const apiVersions = yield* connection.request(Messages.ApiVersions, 3, {
      clientSoftwareName: "keos",
      clientSoftwareVersion: "0"
    })
    const { dialect, lacking } = Dialect.of(apiVersions)
    if (lacking.length > 0) {
      return yield* new NoTarget({
        message: `the broker does not understand what is asked of it: ${lacking.join(", ")} (by its ApiVersions)`
      })
    }
    yield* warmUp(connection, dialect, run)
    return { address, apiVersions, dialect }
  }))
