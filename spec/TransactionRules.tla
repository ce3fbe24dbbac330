-------------------------- MODULE TransactionRules --------------------------
(***************************************************************************)
(* The decisions of Transactions.tla as operators on the state of one role:*)
(* what a coordinator answers and writes, what a partition leader accepts, *)
(* what a group coordinator and a consumer show.                           *)
(*                                                                         *)
(* The rules that have been wrong in the field are named operators (the    *)
(* section RULES).  As written they are the base, under which the          *)
(* guarantees hold; a release or a museum exhibit overrides them.          *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  TransactionVersion,  \* the cluster's feature transaction.version: 1 or 2
  Verification,        \* transaction.partition.verification.enable
  MaxEpoch,            \* Short.MAX_VALUE: no client is given this epoch
  DedupWindow          \* batches a leader remembers of a producer id (Kafka: 5)

ASSUME
  /\ TransactionVersion \in {1, 2} /\ Verification \in BOOLEAN
  /\ MaxEpoch \in Nat \ {0} /\ DedupWindow \in Nat \ {0}

None == -1           \* Kafka's NO_PRODUCER_ID, NO_PRODUCER_EPOCH, NO_SEQUENCE, ...
GroupPartition == "__consumer_offsets"
NoTransaction == [client |-> 0, number |-> 0]

-----------------------------------------------------------------------------
(* COORDINATOR METADATA (TransactionMetadata).  `transaction` is a ghost:  *)
(* which transaction of which client the record is about.                  *)

Unknown ==
  [producerId |-> None, previousProducerId |-> None, nextProducerId |-> None, epoch |-> None, lastEpoch |-> None,
   state |-> "Unknown", partitions |-> {}, version |-> 1, failedEpochFence |-> FALSE, transaction |-> NoTransaction]

\* An id that nobody used before; in memory only.
Created(producerId) == [Unknown EXCEPT !.producerId = producerId, !.state = "Empty"]

\* Every transition remembers the producer id before it.
Successor(d) == [d EXCEPT !.previousProducerId = d.producerId, !.failedEpochFence = FALSE]

IsComplete(state) == state \in {"CompleteCommit", "CompleteAbort"}
IsPrepared(state) == state \in {"PrepareCommit", "PrepareAbort"}
ResultOf(prepared) == IF prepared = "PrepareCommit" THEN "COMMIT" ELSE "ABORT"
CompletedState(prepared) == IF prepared = "PrepareCommit" THEN "CompleteCommit" ELSE "CompleteAbort"
PendingState(state) == IF state = "Unknown" THEN "Dead" ELSE state

\* An epoch that no client may be given the successor of.
IsExhausted(epoch) == epoch >= MaxEpoch - 1

-----------------------------------------------------------------------------
(* PARTITION STATE (ProducerStateManager).  Offsets count entries from 0.  *)

NoProducers == [i \in {} |-> 0]
NoVerification == [i \in {} |-> 0]
With(f, key, value) == [i \in DOMAIN f \cup {key} |-> IF i = key THEN value ELSE f[i]]
Without(f, key) == [i \in DOMAIN f \ {key} |-> f[i]]

IsMarker(entry) == entry.kind \in {"COMMIT", "ABORT"}

\* The producer's transaction is open on the partition, with exactly this epoch.
IsOpen(producers, producerId, epoch) ==
  /\ producerId \in DOMAIN producers
  /\ producers[producerId].epoch = epoch
  /\ producers[producerId].firstOffset # None

\* What is written outside of transactions has no producer id here.
IsTransactional(entry) == entry.producerId # None

\* The markers of the producer behind an entry; the first one is that of its
\* transaction, and says how that ended.
MarkersAfter(log, i) == {j \in (i + 1)..Len(log) : log[j].producerId = log[i].producerId /\ IsMarker(log[j])}
First(indices) == CHOOSE i \in indices : \A j \in indices : i <= j
Fate(log, i) ==
  IF ~IsTransactional(log[i]) THEN "COMMIT"
  ELSE IF MarkersAfter(log, i) = {} THEN "OPEN" ELSE log[First(MarkersAfter(log, i))].kind

\* Data whose transaction is open, or was ended by a marker that is not
\* replicated yet.
Unstable(q) == {i \in DOMAIN q.log :
  /\ ~IsMarker(q.log[i]) /\ IsTransactional(q.log[i])
  /\ MarkersAfter(q.log, i) = {} \/ First(MarkersAfter(q.log, i)) > q.highWatermark}

-----------------------------------------------------------------------------
(* RULES.  Each of these has been wrong in some coordinator, leader or     *)
(* client.                                                                 *)

\* The epoch of a transaction that the coordinator aborts by itself, for a
\* new instance and for a timeout: nobody may go on with the old one.
FenceEpoch(d) == IF d.failedEpochFence THEN d.epoch ELSE d.epoch + 1
TimeoutEpoch(d) == FenceEpoch(d)

\* Whether such an abort ends the producer id after its last epoch
\* (KAFKA-20090, 4.3).
RotatesWhenFenced(epoch) == TransactionVersion = 2 /\ IsExhausted(epoch)

\* The partition is in the transaction already, so nothing needs writing.
IsRegistered(d, p) == d.state = "Ongoing" /\ p \in d.partitions

\* What a completed transaction keeps of its partitions.
PartitionsAfterCompletion(partitions) == {}

\* How many completions are written when the markers of so many partitions
\* are acknowledged, and whether one of them still may.
Completions(partitions) == 1
MayComplete(state) == IsPrepared(state)

\* A transition that could not be written is over.
PendingAfterFailedAppend(pending) == "None"

\* What the log keeps of the metadata (TransactionLogValue; 4.3 added the
\* previous and next producer id).
Persisted(d) == [d EXCEPT !.lastEpoch = None, !.failedEpochFence = FALSE]

\* What the coordinator looks at first: a pending transition, or who asks
\* (4.0 changed the order).
AsksPendingFirst == TRUE

\* A batch that needs no verification: its transaction is open on the
\* partition, with its epoch (3.9 did not look at the epoch).
JoinsOpenTransaction(producers, producerId, epoch) == IsOpen(producers, producerId, epoch)

\* A batch that is refused before it is verified (KAFKA-18042, 4.1), and what
\* a leader looks at first when it appends (KAFKA-19690, 4.1.1).
IsStaleOnArrival(known, epoch) == epoch < known
AsksEpochFirst == TRUE

\* The producer's batch was verified in this transaction of its producer id:
\* the guard that it was given is still there (KAFKA-14884).
HasGuard(q, m) == m.guard

\* The sequence with which a producer id may begin where it has no state.
IsFirstSequence(sequence, version) == sequence = 0

\* Whether a leader takes a marker: never below the epoch it knows; under
\* version 2 above it, or the same marker again (KIP-1228, KAFKA-19999).
AcceptsMarker(known, open, m) ==
  IF m.version = 2 THEN m.epoch > known \/ (m.epoch = known /\ ~open) ELSE m.epoch >= known

\* What read_committed consumers read up to (UnifiedLog.lastStableOffset).
LastStableOffset(q) ==
  IF Unstable(q) = {} \/ First(Unstable(q)) > q.highWatermark THEN q.highWatermark ELSE First(Unstable(q)) - 1

\* A group's offset that a transaction may still change (KIP-447).
IsUnstable(q) == Unstable(q) # {}

\* What read_committed consumers leave out of what they read.
IsFiltered(fate) == fate = "ABORT"

\* A group's offset is committed in the transaction of its outputs.
OffsetsInTransaction == TRUE

\* A commit is for transactions of which every record is acknowledged.
MayCommit(batches) ==
  /\ \A p \in DOMAIN batches : batches[p] \in {"none", "acked"}
  /\ {p \in DOMAIN batches : batches[p] = "acked"} # {}

\* After a failed batch the producer takes a new epoch (KIP-360).  Version 2
\* gives one with every transaction.
BumpsEpochAfterAbort(wanted, version) == version = 1 /\ wanted

-----------------------------------------------------------------------------
(* ERRORS, and what the client makes of them (TransactionManager).         *)

IsRetriable(error) == error \in
  {"NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE", "CONCURRENT_TRANSACTIONS", "NOT_LEADER_OR_FOLLOWER",
   "NOT_ENOUGH_REPLICAS"}
IsAbortable(kind, result, error) == error = "TRANSACTION_ABORTABLE" /\ ~(kind = "EndTxn" /\ result = "ABORT")
IsFatalForProduce(p, error) ==
  \/ error \in {"PRODUCER_FENCED", "INVALID_PRODUCER_ID_MAPPING"}
  \/ p = GroupPartition /\ error \in {"INVALID_PRODUCER_EPOCH", "INVALID_TXN_STATE"}

\* What a leader answers when the coordinator refused (ReplicaManager).
VerificationError(p, version, error) ==
  CASE error = "PRODUCER_FENCED" -> "INVALID_PRODUCER_EPOCH"
    [] error = "CONCURRENT_TRANSACTIONS" /\ version = 1 /\ p # GroupPartition -> "NOT_ENOUGH_REPLICAS"
    [] error \in {"NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"} /\ p # GroupPartition -> "NOT_ENOUGH_REPLICAS"
    [] OTHER -> error

-----------------------------------------------------------------------------
(* COORDINATOR DECISIONS (TransactionCoordinator).  Each is an error, or a *)
(* record to be written (`target`), or success without a record.           *)

Refuse(error) == [error |-> error, target |-> <<>>, producerId |-> None, epoch |-> None]
Write(record) == [error |-> "NONE", target |-> <<record>>, producerId |-> None, epoch |-> None]
Accept(d) == [error |-> "NONE", target |-> <<>>, producerId |-> d.producerId, epoch |-> d.epoch]

\* The coordinator aborts the transaction itself.  `next` is a free producer
\* id, for the last epoch (version 2; KAFKA-20090).
Fence(d, epoch, next) ==
  [Successor(d) EXCEPT !.state = "PrepareAbort", !.epoch = epoch, !.version = TransactionVersion,
                  !.lastEpoch = IF TransactionVersion = 2 THEN d.epoch ELSE None,
                  !.nextProducerId = IF RotatesWhenFenced(d.epoch) THEN next ELSE None]

\* Version 1 raises the epoch in memory before the fence is written, and does
\* not raise it again when that has failed.
WhileFencing(d, record) ==
  IF d.state = "Ongoing" /\ record.state = "PrepareAbort" /\ TransactionVersion = 1
  THEN [d EXCEPT !.epoch = record.epoch, !.failedEpochFence = TRUE] ELSE d

Initialized(d, producerId, epoch, lastEpoch) ==
  [Successor(d) EXCEPT !.state = "Empty", !.producerId = producerId, !.epoch = epoch, !.lastEpoch = lastEpoch,
                  !.partitions = {}, !.transaction = NoTransaction]

InitProducerId(d, pending, r, next) ==
  LET given == r.producerId # None
      isCurrent == d.epoch = None \/ r.producerId = d.producerId
                   \/ (r.producerId = d.previousProducerId /\ IsExhausted(r.epoch))
  IN CASE pending # "None" -> Refuse("CONCURRENT_TRANSACTIONS")
       [] pending = "None" /\ given /\ ~isCurrent -> Refuse("PRODUCER_FENCED")
       [] pending = "None" /\ (given => isCurrent) ->
            CASE IsPrepared(d.state) -> Refuse("CONCURRENT_TRANSACTIONS")
              [] d.state = "Ongoing" -> Write(Fence(d, FenceEpoch(d), next))
              [] OTHER ->
                   IF IsExhausted(d.epoch)
                   THEN IF given /\ r.epoch # d.epoch THEN Refuse("UNKNOWN_SERVER_ERROR")
                        ELSE Write(Initialized(d, next, 0, IF given THEN d.epoch ELSE None))
                   ELSE IF ~given THEN Write(Initialized(d, d.producerId, d.epoch + 1, None))
                   ELSE IF d.epoch = None \/ r.epoch = d.epoch
                   THEN Write(Initialized(d, d.producerId, d.epoch + 1, d.epoch))
                   ELSE IF r.epoch = d.lastEpoch THEN Write(Initialized(d, d.producerId, d.epoch, d.lastEpoch))
                   ELSE Refuse("PRODUCER_FENCED")

\* The answer to the request whose record was written; a new instance waits
\* for the end of the transaction that it fenced.
AppendAnswer(kind, state) == IF kind = "InitProducerId" /\ state = "PrepareAbort" THEN "CONCURRENT_TRANSACTIONS" ELSE "NONE"

Ongoing(d, r) ==
  [Successor(d) EXCEPT !.state = "Ongoing", !.version = r.version,
                  !.partitions = IF d.state = "Ongoing" THEN @ \cup {r.partition} ELSE PartitionsAfterCompletion(@) \cup {r.partition},
                  !.transaction = IF d.state = "Ongoing" THEN @ ELSE r.transaction]

AddPartitions(d, pending, r) ==
  IF d.state = "Unknown" THEN Refuse("INVALID_PRODUCER_ID_MAPPING")
  ELSE IF AsksPendingFirst /\ pending # "None" THEN Refuse("CONCURRENT_TRANSACTIONS")
  ELSE IF d.producerId # r.producerId THEN Refuse("INVALID_PRODUCER_ID_MAPPING")
  ELSE IF d.epoch # r.epoch THEN Refuse("PRODUCER_FENCED")
  ELSE IF pending # "None" THEN Refuse("CONCURRENT_TRANSACTIONS")
  ELSE IF IsPrepared(d.state) THEN Refuse("CONCURRENT_TRANSACTIONS")
  ELSE IF IsRegistered(d, r.partition) THEN Accept(d)
  ELSE Write(Ongoing(d, r))

\* AddPartitionsToTxn with verifyOnly.
VerifyPartition(d, m) ==
  IF d.state = "Unknown" \/ d.producerId # m.producerId THEN Refuse("INVALID_PRODUCER_ID_MAPPING")
  ELSE IF d.epoch # m.epoch THEN Refuse("PRODUCER_FENCED")
  ELSE IF IsPrepared(d.state) THEN Refuse("CONCURRENT_TRANSACTIONS")
  ELSE IF m.partition \in d.partitions THEN Accept(d)
  ELSE Refuse("TRANSACTION_ABORTABLE")

PreparedState(result) == IF result = "COMMIT" THEN "PrepareCommit" ELSE "PrepareAbort"

EndTxn1(d, pending, r) ==
  LET prepare == Write([Successor(d) EXCEPT !.state = PreparedState(r.result), !.version = 1, !.transaction = r.transaction])
      complete == CompletedState(PreparedState(r.result))
  IN IF d.state = "Unknown" \/ d.producerId # r.producerId THEN Refuse("INVALID_PRODUCER_ID_MAPPING")
     ELSE IF d.epoch # r.epoch THEN Refuse("PRODUCER_FENCED")
     ELSE IF pending # "None" THEN Refuse("CONCURRENT_TRANSACTIONS")
     ELSE CASE d.state = "Ongoing" -> prepare
            [] d.state = PreparedState(r.result) -> Refuse("CONCURRENT_TRANSACTIONS")
            [] d.state = complete -> Accept(d)
            [] OTHER -> Refuse("INVALID_TXN_STATE")

\* Version 2 ends every transaction with a new epoch, and takes the request
\* that was answered already for what it is.
EndTxn2(d, pending, r, next) ==
  LET rotated == r.producerId = d.previousProducerId /\ r.epoch = MaxEpoch - 1 /\ d.epoch = 0
      isCurrent == r.epoch = d.epoch
      isRetry == r.epoch + 1 = d.epoch \/ rotated
      prepare == Write([Successor(d) EXCEPT !.state = PreparedState(r.result), !.version = 2, !.transaction = r.transaction,
                          !.epoch = @ + 1, !.lastEpoch = d.epoch,
                          !.nextProducerId = IF IsExhausted(d.epoch) THEN next ELSE None,
                          !.partitions = IF d.state = "Ongoing" THEN @ ELSE {}])
      complete == CompletedState(PreparedState(r.result))
  IN IF d.state = "Unknown" THEN Refuse("INVALID_PRODUCER_ID_MAPPING")
     ELSE IF pending # "None" THEN Refuse("CONCURRENT_TRANSACTIONS")
     ELSE IF d.producerId # r.producerId /\ ~rotated THEN Refuse("INVALID_PRODUCER_ID_MAPPING")
     ELSE IF ~isCurrent /\ ~isRetry THEN Refuse("PRODUCER_FENCED")
     ELSE CASE d.state = "Ongoing" -> IF isRetry THEN Refuse("PRODUCER_FENCED") ELSE prepare
            [] IsPrepared(d.state) ->
                 IF isCurrent THEN Refuse("PRODUCER_FENCED")
                 ELSE IF d.state = PreparedState(r.result) THEN Refuse("CONCURRENT_TRANSACTIONS") ELSE Refuse("INVALID_TXN_STATE")
            [] d.state = "Empty" ->
                 IF isRetry THEN Refuse("PRODUCER_FENCED") ELSE IF r.result = "ABORT" THEN prepare ELSE Refuse("INVALID_TXN_STATE")
            [] OTHER ->
                 IF isRetry THEN (IF d.state = complete THEN Accept(d) ELSE Refuse("INVALID_TXN_STATE"))
                 ELSE IF r.result = "ABORT" THEN prepare ELSE Refuse("INVALID_TXN_STATE")

EndTxn(d, pending, r, next) == IF r.version = 2 THEN EndTxn2(d, pending, r, next) ELSE EndTxn1(d, pending, r)

\* All markers are written; after the last epoch the next producer id begins.
Completed(d) ==
  [Successor(d) EXCEPT !.state = CompletedState(d.state), !.partitions = PartitionsAfterCompletion(@), !.nextProducerId = None,
                  !.producerId = IF d.nextProducerId = None THEN @ ELSE d.nextProducerId,
                  !.epoch = IF d.nextProducerId = None THEN @ ELSE 0]

-----------------------------------------------------------------------------
(* PARTITION LEADER (ReplicaManager, UnifiedLog, ProducerAppendInfo).      *)

Fresh == [epoch |-> None, coordinatorEpoch |-> None, batches |-> <<>>, firstOffset |-> None]
StateOf(producers, producerId) == IF producerId \in DOMAIN producers THEN producers[producerId] ELSE Fresh

RememberedBatches(batches) == IF Len(batches) > DedupWindow THEN Tail(batches) ELSE batches

\* ProducerStateManager.update.  A new epoch forgets the batches of the old one.
Update(producers, entry, offset) ==
  LET before == StateOf(producers, entry.producerId)
      batches == IF before.epoch = entry.epoch THEN before.batches ELSE <<>>
  IN With(producers, entry.producerId,
       IF IsMarker(entry)
       THEN [epoch |-> entry.epoch, coordinatorEpoch |-> entry.coordinatorEpoch, batches |-> batches, firstOffset |-> None]
       ELSE [epoch |-> entry.epoch, coordinatorEpoch |-> before.coordinatorEpoch,
             batches |-> IF entry.sequence = None THEN batches
                         ELSE RememberedBatches(Append(batches, [sequence |-> entry.sequence, offset |-> offset])),
             firstOffset |-> IF before.firstOffset = None THEN offset ELSE before.firstOffset])

RECURSIVE Rebuild(_)
Rebuild(log) ==
  IF log = <<>> THEN NoProducers
  ELSE IF ~IsTransactional(log[Len(log)]) THEN Rebuild(SubSeq(log, 1, Len(log) - 1))
  ELSE Update(Rebuild(SubSeq(log, 1, Len(log) - 1)), log[Len(log)], Len(log) - 1)

\* The verification entry of a producer id: whoever made it said which version
\* it is of, later batches move its epoch and sequence.  A guard is a bit on
\* the request.
StartVerification(verification, m) ==
  LET fresh == With(verification, m.producerId,
                 [epoch |-> m.epoch, lowestSequence |-> m.sequence, version |-> m.version])
      known == verification[m.producerId]
  IN IF m.producerId \notin DOMAIN verification THEN fresh
     ELSE IF m.epoch > known.epoch
     THEN [verification EXCEPT ![m.producerId].epoch = m.epoch, ![m.producerId].lowestSequence = m.sequence]
     ELSE IF m.epoch < known.epoch \/ m.sequence >= known.lowestSequence THEN verification
     ELSE [verification EXCEPT ![m.producerId].lowestSequence = m.sequence]

\* A copy of a remembered batch: the offset at which it is, or nothing.
Duplicates(q, m) ==
  LET known == StateOf(q.producers, m.producerId)
  IN IF m.sequence = None \/ known.epoch # m.epoch THEN {}
     ELSE {i \in DOMAIN known.batches : known.batches[i].sequence = m.sequence}

InSequence(q, m) ==
  LET known == StateOf(q.producers, m.producerId)
      verified == m.producerId \in DOMAIN q.verification
  IN /\ verified => m.sequence <= q.verification[m.producerId].lowestSequence
     /\ IF known.epoch = None THEN IsFirstSequence(m.sequence, IF verified THEN q.verification[m.producerId].version ELSE 1)
        ELSE IF m.epoch > known.epoch \/ known.batches = <<>> THEN m.sequence = 0
        ELSE m.sequence = known.batches[Len(known.batches)].sequence + 1

\* The leader's answer to a verified batch, before anything is appended; the
\* group coordinator asks for the generation, and for no sequence.
Validate(q, m, isVerified, generation) ==
  LET known == StateOf(q.producers, m.producerId)
      open == IsOpen(q.producers, m.producerId, m.epoch)
  IN IF m.sequence = None /\ m.generation # generation THEN "ILLEGAL_GENERATION"
     ELSE IF Duplicates(q, m) # {} THEN "NONE"
     ELSE IF AsksEpochFirst /\ m.epoch < known.epoch THEN "INVALID_PRODUCER_EPOCH"
     ELSE IF isVerified /\ ~open /\ ~HasGuard(q, m) THEN "INVALID_TXN_STATE"
     ELSE IF m.epoch < known.epoch THEN "INVALID_PRODUCER_EPOCH"
     ELSE IF m.sequence # None /\ ~InSequence(q, m) THEN "OUT_OF_ORDER_SEQUENCE_NUMBER"
     ELSE "NONE"

NeedsVerification(q, m) ==
  (m.version = 2 \/ Verification) /\ ~JoinsOpenTransaction(q.producers, m.producerId, m.epoch)

\* The leader's answer to a marker; its own epoch is asked before the
\* coordinator's.
ValidateMarker(q, m) ==
  LET known == StateOf(q.producers, m.producerId)
  IN IF ~AcceptsMarker(known.epoch, known.firstOffset # None, m) THEN "INVALID_PRODUCER_EPOCH"
     ELSE IF m.coordinatorEpoch < known.coordinatorEpoch THEN "TRANSACTION_COORDINATOR_FENCED"
     ELSE "NONE"

\* An append ends the verification of its producer id, except that of the
\* next transaction, which has the marker's epoch (version 2).
EndVerification(verification, entry) ==
  IF entry.producerId \notin DOMAIN verification THEN verification
  ELSE IF /\ IsMarker(entry)
          /\ verification[entry.producerId].version = 2 /\ verification[entry.producerId].epoch = entry.epoch
       THEN verification ELSE Without(verification, entry.producerId)

AppendEntry(q, entry) ==
  [q EXCEPT !.log = Append(@, entry), !.producers = Update(@, entry, Len(q.log)),
            !.verification = EndVerification(@, entry)]

-----------------------------------------------------------------------------
(* READERS *)

\* The group's offset as the transactions that ended say: of those that
\* committed, the last one that was written.
Committed(q) == {i \in 1..q.highWatermark :
  /\ ~IsMarker(q.log[i]) /\ Fate(q.log, i) = "COMMIT"
  /\ IsTransactional(q.log[i]) => First(MarkersAfter(q.log, i)) <= q.highWatermark}
CommittedOffset(q) ==
  IF Committed(q) = {} THEN 0
  ELSE q.log[CHOOSE i \in Committed(q) : \A j \in Committed(q) : j <= i].input + 1

\* OffsetFetch with requireStable.
FetchOffset(q) == IF IsUnstable(q) THEN "UNSTABLE_OFFSET_COMMIT" ELSE "NONE"

\* What read_committed consumers are given: below the last stable offset,
\* without what was aborted.
ReadCommitted(q) == {i \in 1..LastStableOffset(q) : ~IsMarker(q.log[i]) /\ ~IsFiltered(Fate(q.log, i))}
=============================================================================
