/**
 * The public format of histories: one event a line, as JSON, of any system that speaks Kafka.
 *
 *     {"type":"invoke","process":"producer-1","operation":"send","record":1,"topic":"orders","partition":0}
 *     {"type":"ok","process":"producer-1","operation":"send","record":1,"offset":0}
 *     {"type":"ok","process":"consumer-1","operation":"poll","isolation":"read_committed",
 *      "records":[{"topic":"orders","partition":0,"offset":0,"record":1}]}
 *
 * The order of the lines is the order in which one observer saw the events: an `invoke` stands before the call is made, an
 * outcome after it has returned. As in Jepsen, `ok` says that the call took effect, `fail` that it certainly did not and
 * never will, `info` that nobody knows. A call without an outcome counts as `info`. An outcome names its call by the fields
 * that it must have; other arguments may be repeated and are not read.
 *
 * Topics are new: their partitions begin at offset 0, and nothing is deleted or compacted. Groups are new too.
 */
import { Schema } from "effect"

const name = Schema.String.check(Schema.isMinLength(1))
const natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Id = Schema.Union([name, natural])

/** A name that the harness chose: a string that is not empty, or a natural number; 1 and "1" are two names. */
export type Id = string | number

const process = Id.annotate({
  description:
    "One instance of a client: a producer, a consumer, or both. A client that starts again is another process."
})
const transaction = Id.annotate({ description: "One for every transaction of the history." })
const record = Id.annotate({
  description: "What the record is known by, in its value or elsewhere. It may be sent again under the same name."
})
const transactionalId = name.annotate({ description: "transactional.id" })
const topic = name
const partition = natural
const offset = natural
const group = name.annotate({ description: "group.id" })
const generation = natural.annotate({
  description: "Of the group; with the consumer protocol, the epoch of the member."
})
const isolation = Schema.Literals(["read_committed", "read_uncommitted"]).annotate({ description: "isolation.level" })

/** `isolation.level`. */
export type Isolation = typeof isolation.Type

/** What every event may have. */
const common = {
  time: Schema.optionalKey(
    Schema.Finite.annotate({ description: "When it was seen, in any unit; not judged, the order of the lines counts." })
  )
}

const error = Schema.optionalKey(Schema.String.annotate({ description: "What the client said; not judged." }))

const Position = Schema.Struct({ topic, partition, offset })

/** A position in a partition: the next offset. */
export type Position = typeof Position.Type

const positions = Schema.Array(Position)

const invoke = Schema.Literal("invoke")
const ok = Schema.Literal("ok")
const failed = Schema.Literals(["fail", "info"])
const outcome = Schema.Literals(["ok", "fail", "info"])

/** A call, and its outcome of whatever type. */
const every = <Invoked, Ended>(invoked: Invoked, ended: Ended) => ({
  invoke: invoked,
  ok: ended,
  fail: ended,
  info: ended
})

const send = Schema.Literal("send")
const sending = {
  process,
  operation: send,
  record,
  transaction: Schema.optionalKey(transaction),
  key: Schema.optionalKey(
    Schema.Union([Schema.String, Schema.Null]).annotate({ description: "Of the record; not judged." })
  ),
  input: Schema.optionalKey(
    Schema.Struct({ group, topic, partition, offset }).annotate({
      description: "What the record was made of: the input that the group had read at this offset."
    })
  ),
  ...common
}

const SendInvoked = Schema.Struct({
  type: invoke,
  ...sending,
  topic,
  partition: Schema.optionalKey(
    partition.annotate({ description: "Where the producer, not the partitioner, chose it." })
  )
}).annotate({
  title: "a record is handed to the producer",
  description: "In the order in which the process calls send; several may be under way."
})

const SendAcknowledged = Schema.Struct({
  type: ok,
  ...sending,
  topic: Schema.optionalKey(topic),
  partition: Schema.optionalKey(partition),
  offset: Schema.optionalKey(offset.annotate({ description: "Absent where the answer does not tell, as with acks=0." }))
}).annotate({ title: "a record is acknowledged" })

const SendFailed = Schema.Struct({
  type: failed,
  ...sending,
  topic: Schema.optionalKey(topic),
  partition: Schema.optionalKey(partition),
  error
}).annotate({
  title: "a record is refused, or its fate unknown",
  description: "A timeout is info: the record may have been written, or be written yet."
})

const initialization = { process, operation: Schema.Literal("initTransactions"), transactionalId, ...common }

const InitTransactionsInvoked = Schema.Struct({ type: invoke, ...initialization })
const InitTransactionsEnded = Schema.Struct({ type: outcome, ...initialization, error }).annotate({
  title: "initTransactions() has returned",
  description:
    "From ok on, instances of the transactional id whose own call had returned before this one was made are fenced."
})

const ofTransaction = { process, transaction, ...common }
const transactionOperation = Schema.Literals(["begin", "commit", "abort"])

const TransactionInvoked = Schema.Struct({ type: invoke, operation: transactionOperation, ...ofTransaction }).annotate({
  title: "a transaction is begun, committed or aborted"
})
const TransactionEnded = Schema.Struct({ type: outcome, operation: transactionOperation, ...ofTransaction, error })
  .annotate({
    title: "the call has returned",
    description: "A commit that times out is info. A commit fails where the transaction certainly is not committed."
  })

const sendOffsets = Schema.Literal("sendOffsets")

const SendOffsetsInvoked = Schema.Struct({
  type: invoke,
  operation: sendOffsets,
  ...ofTransaction,
  group,
  generation: Schema.optionalKey(generation),
  offsets: positions
}).annotate({ title: "offsets of a group are handed to the transaction" })

const SendOffsetsEnded = Schema.Struct({
  type: outcome,
  operation: sendOffsets,
  ...ofTransaction,
  group: Schema.optionalKey(group),
  generation: Schema.optionalKey(generation),
  offsets: Schema.optionalKey(positions),
  error
})

const commitOffsets = Schema.Literal("commitOffsets")

const CommitOffsetsInvoked = Schema.Struct({
  type: invoke,
  process,
  operation: commitOffsets,
  group,
  generation: Schema.optionalKey(generation),
  offsets: positions,
  ...common
}).annotate({ title: "a consumer commits offsets, outside of any transaction" })

const CommitOffsetsEnded = Schema.Struct({
  type: outcome,
  process,
  operation: commitOffsets,
  group,
  generation: Schema.optionalKey(generation),
  offsets: Schema.optionalKey(positions),
  error,
  ...common
})

const fetchOffsets = Schema.Literal("fetchOffsets")

const FetchOffsetsTold = Schema.Struct({
  type: ok,
  process,
  operation: fetchOffsets,
  group,
  offsets: Schema.Array(Schema.Struct({ topic, partition, offset: Schema.optionalKey(offset) })).annotate({
    description: "Of the partitions that were asked for; without an offset where none is committed."
  }),
  ...common
}).annotate({
  title: "a client is told the committed offsets of a group",
  description: "Where its invoke line is left out, the call is taken to be made directly before the answer."
})

const poll = Schema.Literal("poll")

const PollReturned = Schema.Struct({
  type: ok,
  process,
  operation: poll,
  isolation,
  records: Schema.Array(Schema.Struct({ topic, partition, offset, record })).annotate({
    description: "In the order in which they were given."
  }),
  positions: Schema.optionalKey(positions.annotate({
    description: "Where the consumer stands after it; a partition that is left out, behind the last record returned."
  })),
  ...common
}).annotate({
  title: "a consumer has read",
  description:
    "All records between the last position and the new one that the isolation level shows. A consumer reads on "
    + "from where it stood, unless an assign line has moved it."
})

/** A poll or a question that was asked, or came to nothing, tells nothing. */
const NothingLearned = Schema.Struct({
  type: Schema.Literals(["invoke", "fail", "info"]),
  process,
  operation: Schema.Literals(["poll", "fetchOffsets"]),
  group: Schema.optionalKey(group),
  isolation: Schema.optionalKey(isolation),
  error,
  ...common
}).annotate({ title: "a poll or fetchOffsets is called, or comes to nothing", description: "May be left out." })

const Assigned = Schema.Struct({
  type: ok,
  process,
  operation: Schema.Literal("assign"),
  group: Schema.optionalKey(group),
  generation: Schema.optionalKey(generation),
  partitions: Schema.Array(Schema.Struct({ topic, partition, offset: Schema.optionalKey(offset) })),
  ...common
}).annotate({
  title: "a consumer is given partitions, or seeks",
  description: "The offset is where it goes on from. Other partitions that it has stay with it."
})

const Revoked = Schema.Struct({
  type: ok,
  process,
  operation: Schema.Literal("revoke"),
  partitions: Schema.Array(Schema.Struct({ topic, partition })),
  ...common
}).annotate({ title: "partitions are taken from a consumer" })

const CaughtUp = Schema.Struct({
  type: ok,
  process,
  operation: Schema.Literal("caughtUp"),
  isolation,
  positions,
  ...common
}).annotate({
  title: "a consumer has read everything it will ever be given of these partitions",
  description: "To be written when the run is at rest: nothing is under way, replication and coordinators are done. "
    + "The offset is the end: the last stable offset, or the high watermark for read_uncommitted."
})

const producerId = Schema.optionalKey(natural)

const LogDumped = Schema.Struct({
  type: ok,
  process: Schema.optionalKey(process),
  operation: Schema.Literal("log"),
  topic,
  partition,
  from: offset.annotate({
    description: "The first offset that was looked at; dumps of a partition go on where the last ended."
  }),
  to: offset.annotate({ description: "The offset behind the last that was looked at." }),
  entries: Schema.Array(Schema.Union([
    Schema.Struct({ offset, record, producerId }),
    Schema.Struct({ offset, control: Schema.Literals(["commit", "abort"]), producerId: natural })
  ])).annotate({ description: "Everything that the log has there, in its order." }),
  ...common
}).annotate({ title: "what a log holds: the ground truth" })

/** Which shape a line has, by its operation and type. */
export const shapes = {
  send: { invoke: SendInvoked, ok: SendAcknowledged, fail: SendFailed, info: SendFailed },
  initTransactions: every(InitTransactionsInvoked, InitTransactionsEnded),
  begin: every(TransactionInvoked, TransactionEnded),
  commit: every(TransactionInvoked, TransactionEnded),
  abort: every(TransactionInvoked, TransactionEnded),
  sendOffsets: every(SendOffsetsInvoked, SendOffsetsEnded),
  commitOffsets: every(CommitOffsetsInvoked, CommitOffsetsEnded),
  fetchOffsets: { invoke: NothingLearned, ok: FetchOffsetsTold, fail: NothingLearned, info: NothingLearned },
  poll: { invoke: NothingLearned, ok: PollReturned, fail: NothingLearned, info: NothingLearned },
  assign: { ok: Assigned },
  revoke: { ok: Revoked },
  caughtUp: { ok: CaughtUp },
  log: { ok: LogDumped }
} as const

/** One line of a history. */
export const Event = Schema.Union([
  SendInvoked,
  SendAcknowledged,
  SendFailed,
  InitTransactionsInvoked,
  InitTransactionsEnded,
  TransactionInvoked,
  TransactionEnded,
  SendOffsetsInvoked,
  SendOffsetsEnded,
  CommitOffsetsInvoked,
  CommitOffsetsEnded,
  FetchOffsetsTold,
  PollReturned,
  NothingLearned,
  Assigned,
  Revoked,
  CaughtUp,
  LogDumped
])

/** One line of a history. */
export type Event = typeof Event.Type
