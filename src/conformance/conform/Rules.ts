/**
 * What a cluster must answer, and why, by what is asked and what the specification answers: the rule behind every case.
 *
 * A rule names the operator of the specification that states it; where in the files that is, is looked up there.
 */
import { Effect } from "effect"
import { join } from "node:path"
import * as Specification from "../Specification.ts"
import type * as Case from "./Case.ts"
import type { Level } from "./Level.ts"

type Topic = Case.Topic

export interface Rule {
  readonly sentence: string
  /** Of `spec/TransactionRules.tla` or `spec/TransactionRequests.tla`; none for what the specification takes for granted. */
  readonly operator: string | undefined
  /** Class and method of Apache Kafka that have it, with the KIP or the issue where there is one. */
  readonly source: string
  readonly level: Level
}

type Rules = Readonly<Record<string, Rule>>

const rule = (level: Level) => (operator: string, source: string, sentence: string): Rule => ({
  sentence,
  operator,
  source,
  level
})

const must = rule("MUST")
const should = rule("SHOULD")

const initProducerId: Rules = {
  NONE: must(
    "InitProducerId",
    "TransactionCoordinator.prepareInitProducerIdTransit, KIP-360",
    "Whoever begins with a transactional id must be given an identity that nobody had before, the next epoch or after the "
      + "last one a new producer id, so that all earlier instances are fenced by it; only who asks again with the epoch "
      + "before gets the same answer again."
  ),
  CONCURRENT_TRANSACTIONS: must(
    "AppendAnswer",
    "TransactionCoordinator.handleInitProducerId",
    "Whoever begins while a transaction of the transactional id is open or not ended everywhere must wait and ask again, "
      + "because the transaction of the instance before has to be aborted first."
  ),
  PRODUCER_FENCED: must(
    "InitProducerId",
    "TransactionCoordinator.prepareInitProducerIdTransit, KIP-360",
    "An instance that asks for the next epoch with an identity that is not the current one must be fenced, so that a "
      + "zombie does not take the place of its successor."
  ),
  UNKNOWN_SERVER_ERROR: should(
    "InitProducerId",
    "TransactionMetadata.prepareIncrementProducerEpoch",
    "After the last epoch an instance that asks with an older one should be refused with an error of the server, because "
      + "there is no next epoch to compare it with."
  )
}

const adding = (what: string, operator: string, source: string) =>
  ({
    NONE: must(
      operator,
      source,
      `${what} must be in the coordinator's log as part of the transaction before this is answered, because only what is `
        + "there gets a marker when the transaction ends."
    ),
    PRODUCER_FENCED: must(
      "AddPartitions",
      source,
      "A request with an epoch that is not the current one must be fenced, so that a zombie adds nothing to the "
        + "transaction of its successor."
    ),
    INVALID_PRODUCER_ID_MAPPING: should(
      "AddPartitions",
      source,
      "A request with another producer id than that of the transactional id should be refused by this error, which tells "
        + "its client to give up."
    )
  }) satisfies Rules

const addPartitionsToTxn: Rules = {
  ...adding("The partition", "Ongoing", "TransactionCoordinator.handleAddPartitionsToTransaction"),
  CONCURRENT_TRANSACTIONS: should(
    "AddPartitions",
    "TransactionCoordinator.handleAddPartitionsToTransaction",
    "Nothing may be added while the transaction before is being ended, and its client should be told to ask again."
  )
}

const addOffsetsToTxn: Rules = adding(
  "The partition of the group's offsets",
  "Ongoing",
  "KafkaApis.handleAddOffsetsToTxnRequest"
)

const verifySource = "TransactionCoordinator.handleVerifyPartitionsInTransaction, KIP-890"

const verifyPartition: Rules = {
  NONE: must(
    "VerifyPartition",
    verifySource,
    "A leader that asks must be told that a partition belongs to the open transaction, or the producer cannot write to it."
  ),
  TRANSACTION_ABORTABLE: must(
    "VerifyPartition",
    verifySource,
    "A leader that asks must be told that a partition does not belong to the transaction, because a batch on it would "
      + "get no marker, and would hold up its readers for good."
  ),
  PRODUCER_FENCED: must(
    "VerifyPartition",
    verifySource,
    "A leader that asks must be told that an epoch is not the current one, so that the batch of a zombie is not written."
  ),
  INVALID_PRODUCER_ID_MAPPING: should(
    "VerifyPartition",
    verifySource,
    "A leader that asks should be told by this error that the transactional id is unknown or has another producer id."
  ),
  CONCURRENT_TRANSACTIONS: should(
    "VerifyPartition",
    verifySource,
    "A leader must not be told that a transaction is open which is being ended, and should be told to ask again."
  )
}

const ending = (operator: string, source: string, success: string) =>
  ({
    NONE: must(operator, source, success),
    INVALID_TXN_STATE: must(
      operator,
      source,
      "A request to end a transaction that is not open, or that has ended the other way, must be refused, so that nobody "
        + "is told of an end that did not happen."
    ),
    PRODUCER_FENCED: must(
      operator,
      source,
      "A request with an epoch that may not end this transaction must be fenced, so that a zombie does not end the "
        + "transaction of its successor."
    ),
    INVALID_PRODUCER_ID_MAPPING: should(
      operator,
      source,
      "A request with another producer id than that of the transactional id should be refused by this error, which tells "
        + "its client to give up."
    ),
    CONCURRENT_TRANSACTIONS: should(
      operator,
      source,
      "As long as the transaction is being ended, the client should be told to ask again."
    )
  }) satisfies Rules

const endTxn1 = ending(
  "EndTxn1",
  "TransactionCoordinator.endTransactionWithTV1",
  "An open transaction must be ended as its client wants, and one that has ended like this already must be answered with "
    + "success again, because the first answer may be lost."
)

const endTxn2 = ending(
  "EndTxn2",
  "TransactionCoordinator.endTransaction, KIP-890",
  "An open transaction must be ended as its client wants, an abort of none must do no harm, and the answer must have the "
    + "identity of the next transaction, with the next epoch, so that whatever is late of this one is refused; who asks "
    + "again with the epoch before gets the same answer again."
)

const produceIdempotent: Rules = {
  NONE: must(
    "Duplicates",
    "ProducerStateEntry.findDuplicateBatch, ProducerAppendInfo.checkSequence, KIP-98",
    "A batch that follows the newest of its producer, or is the first that the partition sees of it, must be appended, and "
      + "one of the newest five must be answered with the offset that it has and not be appended again, so that retries "
      + "neither lose nor repeat a record."
  ),
  OUT_OF_ORDER_SEQUENCE_NUMBER: must(
    "InSequence",
    "ProducerAppendInfo.checkSequence, KIP-98",
    "A batch that does not follow the newest of its producer must be refused, because something before it is missing or "
      + "it is written already."
  ),
  INVALID_PRODUCER_EPOCH: must(
    "Validate",
    "ProducerAppendInfo.checkProducerEpoch, KIP-360",
    "A batch with an older epoch than the partition knows must be refused, because its producer has begun anew and sends "
      + "the same records again."
  )
}

const produced = (verifying: string) =>
  ({
    INVALID_PRODUCER_EPOCH: must(
      "Validate",
      "ProducerAppendInfo.checkProducerEpoch, AddPartitionsToTxnManager.addOrVerifyTransaction",
      "A batch with an epoch that the leader or the coordinator knows to be over must be refused, so that nothing of a "
        + "zombie is in the transaction of its successor."
    ),
    INVALID_PRODUCER_ID_MAPPING: should(
      "VerificationError",
      verifying,
      "A batch with another producer id than that of the transactional id must not be appended, and should be refused by "
        + "the coordinator's error."
    ),
    OUT_OF_ORDER_SEQUENCE_NUMBER: must(
      "InSequence",
      "ProducerAppendInfo.checkSequence, VerificationStateEntry.maybeUpdateLowestSequenceAndEpoch",
      "A batch that does not follow the newest of its producer must be refused, because a transaction with a gap in it "
        + "must not be committed."
    )
  }) satisfies Rules

const produce1: Rules = {
  ...produced("ReplicaManager.maybeSendPartitionsToTransactionCoordinator, KIP-890"),
  NONE: must(
    "Validate",
    "UnifiedLog.analyzeAndValidateProducerState, ProducerStateEntry.findDuplicateBatch",
    "A batch in sequence, on a partition of the open transaction, must be appended, and one that is there already must be "
      + "answered with its offset and not be appended again."
  ),
  TRANSACTION_ABORTABLE: must(
    "VerifyPartition",
    "ReplicaManager.maybeSendPartitionsToTransactionCoordinator, KIP-890, KAFKA-14402",
    "A batch on a partition that does not belong to the open transaction must be refused, because it would get no marker, "
      + "and would hold up its readers for good."
  ),
  NOT_ENOUGH_REPLICAS: should(
    "VerificationError",
    "ReplicaManager.maybeSendPartitionsToTransactionCoordinator",
    "While the transaction before is being ended nothing may be appended, and a client of version 1 should be told to ask "
      + "again by an error that it knows."
  )
}

const produce2: Rules = {
  ...produced("AddPartitionsToTxnManager.addOrVerifyTransaction, KIP-890"),
  NONE: must(
    "ProduceHandled",
    "ReplicaManager.maybeSendPartitionsToTransactionCoordinator, UnifiedLog.analyzeAndValidateProducerState, KIP-890",
    "A batch in sequence must be appended after the leader has added its partition to the transaction, and one that is "
      + "there already must be answered with its offset and not be appended again."
  ),
  CONCURRENT_TRANSACTIONS: should(
    "VerificationError",
    "ReplicaManager.maybeSendPartitionsToTransactionCoordinator, KIP-890",
    "While the transaction before is being ended nothing may be appended, and the client should be told to ask again."
  )
}

const committed = (operator: string, sentence: string) =>
  ({
    NONE: must(operator, "OffsetMetadataManager.commitTransactionalOffset, KIP-447", sentence),
    INVALID_PRODUCER_EPOCH: must(
      "Validate",
      "ProducerAppendInfo.checkProducerEpoch, GroupCoordinatorService.commitTransactionalOffsets",
      "Offsets with an epoch that is over must be refused, because a zombie would move the group past what its successor "
        + "still works on."
    ),
    INVALID_PRODUCER_ID_MAPPING: should(
      "VerificationError",
      "GroupCoordinatorService.commitTransactionalOffsets, KIP-890",
      "Offsets with another producer id than that of the transactional id must not be taken, and should be refused by the "
        + "coordinator's error."
    )
  }) satisfies Rules

const txnOffsetCommit1: Rules = {
  ...committed(
    "Validate",
    "Offsets of the open transaction must be written and stay pending until it ends, so that they are committed with its "
      + "records or not at all."
  ),
  TRANSACTION_ABORTABLE: must(
    "VerifyPartition",
    "GroupCoordinatorService.commitTransactionalOffsets, KIP-890",
    "Offsets must be refused if those of the group were not added to the transaction, because no marker would end them."
  )
}

const txnOffsetCommit2: Rules = committed(
  "ProduceHandled",
  "Offsets must be written, after they are added to the transaction, and stay pending until it ends, so that they are "
    + "committed with its records or not at all."
)

const marked = (accepted: string, refused: string, source: string) =>
  ({
    NONE: must("ValidateMarker", "ProducerAppendInfo.appendEndTxnMarker", accepted),
    INVALID_PRODUCER_EPOCH: must("AcceptsMarker", source, refused),
    TRANSACTION_COORDINATOR_FENCED: must(
      "ValidateMarker",
      "ProducerAppendInfo.checkCoordinatorEpoch",
      "A marker of a coordinator that was replaced must be refused, because its successor may have decided otherwise."
    )
  }) satisfies Rules

const writeTxnMarkers1 = marked(
  "A marker that is not older than what the partition knows of its producer must be written, and end the transaction "
    + "that is open there.",
  "A marker with an older epoch than the partition knows must be refused, so that it does not end a transaction that "
    + "began after it.",
  "ProducerAppendInfo.checkProducerEpoch"
)

const writeTxnMarkers2 = marked(
  "A marker with a newer epoch than the batches that it ends must be written, and so must the same marker again, because "
    + "the answer to the first may be lost.",
  "A marker must be refused where a transaction with its own epoch is open, or a newer one known, because it is late and "
    + "belongs to the transaction before.",
  "ProducerAppendInfo.checkProducerEpoch, KIP-1228, KAFKA-19999"
)

const described: Rules = {
  NONE: should(
    "Applied",
    "TransactionCoordinator.handleDescribeTransactions, KIP-664",
    "The coordinator should say in which state a transactional id is, with which identity and partitions, as its log has "
      + "it, because people judge hanging transactions by that."
  ),
  TRANSACTIONAL_ID_NOT_FOUND: should(
    "Unknown",
    "TransactionCoordinator.handleDescribeTransactions, KIP-664",
    "The coordinator should say that it does not know a transactional id that was never used."
  )
}

/** What has to go well before a broker can be asked anything that the specification speaks of. */
export const preparations = {
  ApiVersions: {
    level: "MUST",
    operator: undefined,
    source: "KafkaApis.handleApiVersionsRequest, KIP-35",
    sentence: "A broker must say which requests it understands, because no client can talk to it otherwise."
  },
  Preparation: {
    level: "MUST",
    operator: undefined,
    source: "SocketServer, KafkaApis.handle",
    sentence: "A broker must answer every request that it says it understands, each on its connection and in order."
  }
} as const satisfies Record<string, Rule>
export type Preparation = keyof typeof preparations

/** What is judged: a case of the specification, or a preparation. */
export interface Judged extends Omit<Case.Case, "topic"> {
  readonly topic: Topic | Preparation
}

export const preparation = (topic: Preparation): Judged => ({ topic, id: topic, error: "NONE" })

/** By topic, and by the error that is answered; `NONE` for success. */
export const rules: Readonly<Record<Topic, Rules>> = {
  InitProducerId: initProducerId,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  VerifyPartition: verifyPartition,
  "EndTxn-v1": endTxn1,
  "EndTxn-v2": endTxn2,
  "Produce-idempotent": produceIdempotent,
  "Produce-v1": produce1,
  "Produce-v2": produce2,
  "TxnOffsetCommit-v1": txnOffsetCommit1,
  "TxnOffsetCommit-v2": txnOffsetCommit2,
  "WriteTxnMarkers-v1": writeTxnMarkers1,
  "WriteTxnMarkers-v2": writeTxnMarkers2,
  TransactionTimeout: {
    NONE: must(
      "TimeoutEpoch",
      "TransactionCoordinator.abortTimedOutTransactions",
      "A transaction that takes longer than its client wanted must be aborted, and its epoch fenced, so that readers do "
        + "not wait for a client that is gone."
    )
  },
  "Fetch-read_committed": {
    NONE: must(
      "ReadCommitted",
      "UnifiedLog.lastStableOffset, UnifiedLog.collectAbortedTransactions, KIP-98",
      "A consumer of committed records must get everything up to the first transaction that is open, and be told which of "
        + "it was aborted, so that it gives out each committed record and no other."
    )
  },
  "Fetch-read_uncommitted": {
    NONE: must(
      "AppendEntry",
      "UnifiedLog.read",
      "A consumer of all records must get what was appended, each batch once, in order and as it was sent."
    )
  },
  DescribeProducers: {
    NONE: should(
      "Update",
      "ReplicaManager.activeProducerState, KIP-664",
      "The leader should say what it knows of each producer, its epoch, newest sequence and open transaction, because "
        + "people find hanging transactions by that."
    )
  },
  DescribeTransactions: described,
  OffsetFetch: {
    NONE: must(
      "CommittedOffset",
      "OffsetMetadataManager.fetchOffsets",
      "A group's offset must be the last one of a transaction that was committed; what is pending or was aborted does not "
        + "count."
    )
  },
  "OffsetFetch-stable": {
    NONE: must(
      "CommittedOffset",
      "OffsetMetadataManager.fetchOffsets, KIP-447",
      "Where no transaction is pending, a consumer that wants a stable offset must get the last one that was committed."
    ),
    UNSTABLE_OFFSET_COMMIT: must(
      "FetchOffset",
      "OffsetMetadataManager.fetchOffsets, KIP-447",
      "A consumer that wants a stable offset must wait while a transaction may still change it, or it works on the same "
        + "input again."
    )
  }
}

/** The rule of a case. */
export const of = ({ error, topic }: Pick<Judged, "error" | "topic">): Rule => {
  const found = topic in preparations ? preparations[topic as Preparation] : rules[topic as Topic]?.[error]
  if (found === undefined) throw new Error(`there is no rule for ${topic} that is answered with ${error}`)
  return found
}

/** Where an operator is, the line from 1. */
export interface Place {
  /** Relative to the project. */
  readonly file: string
  readonly line: number
}

const modules = ["TransactionRules.tla", "TransactionRequests.tla"]

const definition = /^(\w+)(?:\([^)]*\))?\s*==/

/** The places of all operators that rules may name. */
export const places: Effect.Effect<ReadonlyMap<string, Place>, Specification.SpecificationError> = Effect.gen(
  function*() {
    const found = new Map<string, Place>()
    for (const module of modules) {
      const text = yield* Specification.readText(join(Specification.folder, module))
      for (const [i, line] of text.split("\n").entries()) {
        const name = definition.exec(line)?.[1]
        if (name !== undefined && !found.has(name)) found.set(name, { file: `spec/${module}`, line: i + 1 })
      }
    }
    return found
  }
)
