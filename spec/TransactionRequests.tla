------------------------- MODULE TransactionRequests -------------------------
(***************************************************************************)
(* Transactions as they look from outside: what any client, right or wrong,*)
(* can ask a cluster in which nothing moves, and what it is answered.      *)
(*                                                                         *)
(* One action is one request and everything that follows from it until     *)
(* nothing moves any more: the coordinator's record is written and applied,*)
(* the leader asks the coordinator and appends, the markers are written    *)
(* and the transaction is completed.  So states are those of               *)
(* Transactions.tla in which nobody waits for anything, and a step is what *)
(* a chain of its actions makes of one: HandleX, AppendOk, HandleMarker... *)
(* The decisions are those of TransactionRules.tla.                        *)
(*                                                                         *)
(* The client is none of those of Transactions.tla: it sends what it likes.*)
(* What it sends is named by how it compares with what the cluster knows,  *)
(* so that few requests stand for all.                                     *)
(***************************************************************************)
EXTENDS KafkaTransactionReleases

CONSTANTS
  RequestVersions,   \* the versions that requests are of
  RequestKinds,      \* which kinds of request there are
  RequestIdentities  \* the identities that requests carry, by name

AllRequestKinds ==
  {"InitProducerId", "AddPartitionsToTxn", "VerifyPartition", "EndTxn", "Produce", "WriteTxnMarker", "TransactionTimeout"}
AllRequestIdentities == {"none", "current", "previous", "next", "retired", "stranger"}
Positions == {"next", "first", "gap", "newest", "none"}

\* What each kind is answered.  A leader translates what the coordinator says
\* (VerificationError).
ErrorsOfInitProducerId == {"NONE", "PRODUCER_FENCED", "CONCURRENT_TRANSACTIONS", "UNKNOWN_SERVER_ERROR"}
ErrorsOfAddPartitions == {"NONE", "INVALID_PRODUCER_ID_MAPPING", "PRODUCER_FENCED", "CONCURRENT_TRANSACTIONS"}
ErrorsOfVerification == ErrorsOfAddPartitions \cup {"TRANSACTION_ABORTABLE"}
ErrorsOfEndTxn == ErrorsOfAddPartitions \cup {"INVALID_TXN_STATE"}
ErrorsOfProduce ==
  {"NONE", "INVALID_PRODUCER_ID_MAPPING", "CONCURRENT_TRANSACTIONS", "TRANSACTION_ABORTABLE", "NOT_ENOUGH_REPLICAS",
   "INVALID_PRODUCER_EPOCH", "OUT_OF_ORDER_SEQUENCE_NUMBER"}
ErrorsOfMarker == {"NONE", "INVALID_PRODUCER_EPOCH", "TRANSACTION_COORDINATOR_FENCED"}

\* The clients of Transactions.tla do nothing, and what is appended is
\* replicated.
ASSUME
  /\ RequestVersions \subseteq {1, 2} /\ RequestKinds \subseteq AllRequestKinds
  /\ RequestIdentities \subseteq AllRequestIdentities
  /\ TransactionsPerClient = 0 /\ ~ReplicationLag

-----------------------------------------------------------------------------
(* WHAT A REQUEST CARRIES *)

\* The identity of a transactional id that has this name: one, or none.
Identities(t, name) ==
  LET d == coordinator[t].metadata
      known == d.producerId # None
      If(exists, i, e) == IF exists THEN {[producerId |-> i, epoch |-> e]} ELSE {}
  IN CASE name = "none" -> If(TRUE, None, None)
       [] name = "current" -> If(known, d.producerId, d.epoch)
       [] name = "previous" -> If(known /\ d.epoch > 0, d.producerId, d.epoch - 1)
       [] name = "next" -> If(known /\ d.epoch < MaxEpoch, d.producerId, d.epoch + 1)
       \* What ended the producer id before this one.
       [] name = "retired" -> If(d.previousProducerId \notin {None, d.producerId}, d.previousProducerId, MaxEpoch - 1)
       \* A producer id that was never given.
       [] name = "stranger" -> If(TRUE, 99, 0)

\* The sequence of a batch on a partition that has this name: one, or none.
\* Offsets of a group have no sequence.
Sequences(p, who, name) ==
  LET known == StateOf(partition[p].producers, who.producerId)
      remembered == IF known.epoch = who.epoch THEN known.batches ELSE <<>>
      newest == IF remembered = <<>> THEN None ELSE remembered[Len(remembered)].sequence
      next == IF newest = None THEN 0 ELSE newest + 1
  IN CASE (p = GroupPartition) # (name = "none") -> {}
       [] p = GroupPartition /\ name = "none" -> {None}
       [] p # GroupPartition /\ name = "next" -> {next}
       [] p # GroupPartition /\ name = "first" -> {0} \ {newest, next}
       [] p # GroupPartition /\ name = "gap" -> {next + 1}
       [] p # GroupPartition /\ name = "newest" -> {newest} \ {None}

Asking(who, p, result, version) ==
  [producerId |-> who.producerId, epoch |-> who.epoch, partition |-> p, result |-> result, version |-> version,
   transaction |-> NoTransaction]

-----------------------------------------------------------------------------
(* WHAT FOLLOWS, as functions of what the brokers know.                    *)

\* What the coordinator of a transactional id and the leaders know.
Brokers(t) ==
  [coordinator |-> coordinator[t], transactionState |-> transactionState[t], nextProducerId |-> nextProducerId,
   partition |-> partition]

\* A record is in the log of the coordinator, and applied (AppendOk).
Applied(b, record) ==
  LET prepared == IsPrepared(record.state)
  IN [b EXCEPT !.transactionState = Persisted(record), !.coordinator.metadata = record,
               !.coordinator.pending = IF prepared THEN CompletedState(record.state) ELSE "None",
               !.coordinator.outstanding = IF prepared THEN record.partitions ELSE {}]

\* A leader has handled a marker (HandleMarker).
Marked(q, m) == IF ValidateMarker(q, m) = "NONE" THEN Replicated(AppendEntry(q, MarkerOf(m))) ELSE q

\* The markers of a prepared transaction are handled, in whatever order.  A
\* refused one leaves it prepared for good; otherwise it is completed
\* (CompleteTransaction, AppendOk).
Resolved(t, b) ==
  LET d == b.coordinator.metadata
      MarkerFor(p) == CHOOSE m \in MarkersOf(t, d, b.coordinator.epoch) : m.partition = p
      refused == {p \in d.partitions : ValidateMarker(b.partition[p], MarkerFor(p)) # "NONE"}
      marked == [b EXCEPT
        !.coordinator.outstanding = refused,
        !.partition = [p \in AllPartitions |-> IF p \in d.partitions THEN Marked(@[p], MarkerFor(p)) ELSE @[p]]]
  IN IF refused = {} THEN Applied(marked, Completed(d)) ELSE marked

\* A coordinator that knew `metadata` has decided (Begin), and what it has to
\* write is written.
Decided(t, b, metadata, decision) ==
  LET allocates == \/ metadata.producerId = b.nextProducerId
                   \/ decision.target # <<>>
                      /\ b.nextProducerId \in {decision.target[1].producerId, decision.target[1].nextProducerId}
      begun == [b EXCEPT !.coordinator.metadata = metadata, !.nextProducerId = IF allocates THEN @ + 1 ELSE @]
      record == decision.target[1]
  IN IF decision.target = <<>> THEN begun
     ELSE IF IsPrepared(record.state) THEN Resolved(t, Applied(begun, record)) ELSE Applied(begun, record)

\* A leader takes a batch off the network (HandleProduce), and asks the
\* coordinator where it has to (HandleVerification); then it appends it,
\* recognises it as a copy, or refuses it (AppendProduce).
IsAsked(q, m) == NeedsVerification(q, m) /\ ~IsStaleOnArrival(StateOf(q.producers, m.producerId).epoch, m.epoch)
Verifying(q, m) == [q EXCEPT !.verification = StartVerification(@, m)]
Agreement(t, m) ==
  LET d == coordinator[t].metadata
  IN IF m.version = 2 THEN AddPartitions(d, coordinator[t].pending, m) ELSE VerifyPartition(d, m)

AnswerToProduce(t, m) ==
  LET q == partition[m.partition]
      refusal == Agreement(t, m).error
  IN IF ~NeedsVerification(q, m) THEN Validate(q, m, FALSE, generation)
     ELSE IF ~IsAsked(q, m) THEN "INVALID_PRODUCER_EPOCH"
     ELSE IF refusal # "NONE" THEN VerificationError(m.partition, m.version, refusal)
     ELSE Validate(Verifying(q, m), [m EXCEPT !.guard = TRUE], TRUE, generation)

\* Of a batch that is refused after the leader has asked, the verification
\* stays, and the partition in the transaction.
ProduceHandled(t, m) ==
  LET q == partition[m.partition]
      asking == [Brokers(t) EXCEPT !.partition[m.partition] = Verifying(@, m)]
      asked == IF IsAsked(q, m) THEN Decided(t, asking, coordinator[t].metadata, Agreement(t, m)) ELSE Brokers(t)
  IN IF AnswerToProduce(t, m) = "NONE" /\ Duplicates(q, m) = {}
     THEN [asked EXCEPT !.partition[m.partition] = Replicated(AppendEntry(@, EntryOf(m)))]
     ELSE asked

\* The step that ends like this.  Only so many may change anything.
Become(t, b) ==
  LET changed == b # Brokers(t)
  IN /\ changed => faults > 0
     /\ coordinator' = [coordinator EXCEPT ![t] = b.coordinator]
     /\ transactionState' = [transactionState EXCEPT ![t] = b.transactionState]
     /\ nextProducerId' = b.nextProducerId
     /\ partition' = b.partition
     /\ faults' = IF changed THEN faults - 1 ELSE faults
     /\ UNCHANGED <<client, requests, produces, markers, generation, history>>

\* The coordinator answers when its record is applied, before any marker.
AnswerTo(kind, decision) ==
  IF decision.target = <<>> THEN decision.error ELSE AppendAnswer(kind, decision.target[1].state)

-----------------------------------------------------------------------------
(* REQUESTS.  Each with its answer.                                        *)

\* Whoever asks in an open transaction aborts it, and has to ask again.
RequestInitProducerId(t, identity, error) ==
  /\ "InitProducerId" \in RequestKinds
  /\ \E who \in Identities(t, identity) :
       LET d == coordinator[t].metadata
           known == IF d.state = "Unknown" THEN Created(nextProducerId) ELSE d
           next == IF known.producerId = nextProducerId THEN nextProducerId + 1 ELSE nextProducerId
           decision == InitProducerId(known, coordinator[t].pending, Asking(who, "", "", 1), next)
       IN /\ AnswerTo("InitProducerId", decision) = error
          /\ Become(t, Decided(t, Brokers(t), known, decision))

\* AddPartitionsToTxn, and AddOffsetsToTxn for the group's partition.
RequestAddPartitionsToTxn(t, identity, p, error) ==
  /\ "AddPartitionsToTxn" \in RequestKinds /\ 1 \in RequestVersions
  /\ \E who \in Identities(t, identity) :
       LET d == coordinator[t].metadata
           decision == AddPartitions(d, coordinator[t].pending, Asking(who, p, "", 1))
       IN /\ AnswerTo("AddPartitionsToTxn", decision) = error
          /\ Become(t, Decided(t, Brokers(t), d, decision))

\* AddPartitionsToTxn with verifyOnly, which only asks.
RequestVerification(t, identity, p, error) ==
  /\ "VerifyPartition" \in RequestKinds
  /\ \E who \in Identities(t, identity) : VerifyPartition(coordinator[t].metadata, Asking(who, p, "", 1)).error = error
  /\ UNCHANGED vars

RequestEndTxn(t, identity, result, version, error) ==
  /\ "EndTxn" \in RequestKinds
  /\ \E who \in Identities(t, identity) :
       LET d == coordinator[t].metadata
           decision == EndTxn(d, coordinator[t].pending, Asking(who, "", result, version), nextProducerId)
       IN /\ AnswerTo("EndTxn", decision) = error
          /\ Become(t, Decided(t, Brokers(t), d, decision))

\* A batch of one record, or a group's offsets.
RequestProduce(t, identity, p, position, version, error) ==
  /\ "Produce" \in RequestKinds
  /\ \E who \in Identities(t, identity) : \E sequence \in Sequences(p, who, position) :
       LET m == [partition |-> p, producerId |-> who.producerId, epoch |-> who.epoch, sequence |-> sequence,
                 version |-> version, guard |-> FALSE, generation |-> generation, transaction |-> NoTransaction,
                 input |-> IF p = GroupPartition THEN Len(partition[p].log) ELSE None]
       IN /\ AnswerToProduce(t, m) = error
          /\ Become(t, ProduceHandled(t, m))

\* A marker that no coordinator has sent; none is told of it.
RequestWriteTxnMarker(t, identity, p, result, coordinatorEpoch, version, error) ==
  /\ "WriteTxnMarker" \in RequestKinds
  /\ \E who \in Identities(t, identity) :
       LET m == [producerId |-> who.producerId, epoch |-> who.epoch, result |-> result,
                 coordinatorEpoch |-> coordinatorEpoch, version |-> version, transaction |-> NoTransaction]
       IN /\ ValidateMarker(partition[p], m) = error
          /\ Become(t, [Brokers(t) EXCEPT !.partition[p] = Marked(@, m)])

\* No request at all: the open transaction takes too long.
RequestTimeout(t) ==
  LET d == coordinator[t].metadata
  IN /\ "TransactionTimeout" \in RequestKinds
     /\ d.state = "Ongoing" /\ coordinator[t].pending = "None"
     /\ Become(t, Decided(t, Brokers(t), d, Write(Fence(d, TimeoutEpoch(d), nextProducerId))))

GivenIdentities == RequestIdentities \ {"none"}

RequestNext ==
  \/ \E t \in Ids, identity \in RequestIdentities, error \in ErrorsOfInitProducerId :
       RequestInitProducerId(t, identity, error)
  \/ \E t \in Ids, identity \in GivenIdentities, p \in AllPartitions, error \in ErrorsOfAddPartitions :
       RequestAddPartitionsToTxn(t, identity, p, error)
  \/ \E t \in Ids, identity \in GivenIdentities, p \in AllPartitions, error \in ErrorsOfVerification :
       RequestVerification(t, identity, p, error)
  \/ \E t \in Ids, identity \in GivenIdentities, result \in {"COMMIT", "ABORT"}, version \in RequestVersions,
        error \in ErrorsOfEndTxn : RequestEndTxn(t, identity, result, version, error)
  \/ \E t \in Ids, identity \in GivenIdentities, p \in AllPartitions, position \in Positions, version \in RequestVersions,
        error \in ErrorsOfProduce : RequestProduce(t, identity, p, position, version, error)
  \/ \E t \in Ids, identity \in GivenIdentities, p \in AllPartitions, result \in {"COMMIT", "ABORT"},
        coordinatorEpoch \in {0, 1}, version \in RequestVersions, error \in ErrorsOfMarker :
       RequestWriteTxnMarker(t, identity, p, result, coordinatorEpoch, version, error)
  \/ \E t \in Ids : RequestTimeout(t)

RequestSpec == Init /\ [][RequestNext]_vars
=============================================================================
