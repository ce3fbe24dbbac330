---------------------------- MODULE Transactions ----------------------------
(***************************************************************************)
(* Kafka's transactions: how a producer, the transaction coordinator and   *)
(* its log, the partition leaders and the group coordinator make records   *)
(* of several partitions, and a group's offsets, visible together or never.*)
(*                                                                         *)
(* One action is one role handling one message, one timer or one call,     *)
(* atomically, together with the receipt of its answer: receiving changes  *)
(* only the receiver, so it may as well happen at once.  A lost answer is  *)
(* a request whose sender stopped listening before it was handled.         *)
(*                                                                         *)
(* A transactional id has one coordinator, whose cache is not its log:     *)
(* every transition is a record that is appended first and applied when it *)
(* is replicated.  The append may fail, and may fail although the record   *)
(* is there.                                                               *)
(*                                                                         *)
(* The decisions of coordinator and leaders are in TransactionRules.tla,   *)
(* what must be true of them in TransactionProperties.tla, what the        *)
(* abstractions leave out, and why, in README.md.                          *)
(***************************************************************************)
EXTENDS TransactionRules

CONSTANTS
  Clients,               \* instances of the application, numbered from 1
  TransactionalIds,      \* how many transactional ids they share
  TransactionsPerClient, \* each instance begins at most this many
  Partitions,            \* names of the topic partitions they write to
  Group,                 \* TRUE: consume, transform, produce with a group's offsets
  Version1Clients,       \* clients that speak version 1, whatever the cluster does
  ReplicationLag,        \* TRUE: replication is a step of its own
  FaultBudget,           \* how many faults a behaviour may contain
  FaultKinds             \* which kinds of fault they may be

AllFaultKinds ==
  {"DisconnectCoordinator", "DisconnectLeader", "DisconnectMarker", "ExpireBatch", "TransactionTimeout", "CrashClient",
   "AppendFail", "AppendUnknown", "CoordinatorFailover", "LeaderChange", "ExpireTransactionalId"}

ASSUME
  /\ Clients \in Nat \ {0} /\ TransactionalIds \in 1..Clients /\ TransactionsPerClient \in Nat
  /\ Group \in BOOLEAN /\ ReplicationLag \in BOOLEAN
  /\ Version1Clients \subseteq 1..Clients
  /\ FaultBudget \in Nat /\ FaultKinds \subseteq AllFaultKinds

ClientNumbers == 1..Clients
Ids == 1..TransactionalIds
IdOf(c) == ((c - 1) % TransactionalIds) + 1
VersionOf(c) == IF c \in Version1Clients THEN 1 ELSE TransactionVersion
AllPartitions == Partitions \cup (IF Group THEN {GroupPartition} ELSE {})

\* A message that its sender still waits for is copy 0; one that the sender
\* gave up is known by the fault with which it did.
Copies == 0..FaultBudget
Live == 0

VARIABLES
  client,           \* per client: what the producer knows
  requests,         \* requests to coordinators, on the way or being worked on
  produces,         \* produce and TxnOffsetCommit requests, the same
  coordinator,      \* per transactional id: what its coordinator knows
  transactionState, \* per transactional id: the last record in __transaction_state
  markers,          \* WriteTxnMarkers requests, on the way or being worked on
  partition,        \* per partition: leader, log and producer state
  nextProducerId,   \* the next producer id to be allocated
  generation,       \* the generation of the consumer group
  faults,           \* how many more faults may happen
  history           \* GHOST: per client and transaction, what the application did

coordinatorVars == <<coordinator, transactionState, nextProducerId>>
vars == <<client, requests, produces, coordinatorVars, markers, partition, generation, faults, history>>

Fault(kind) == kind \in FaultKinds /\ faults > 0 /\ faults' = faults - 1

\* With followers in step what is appended is replicated at once; otherwise
\* whoever waits for it waits for the high watermark.
Replicated(q) == IF ReplicationLag THEN q ELSE [q EXCEPT !.highWatermark = Len(q.log)]

-----------------------------------------------------------------------------
(* INITIAL STATE *)

InitialClient ==
  [state |-> "UNINITIALIZED", producerId |-> None, epoch |-> None, number |-> 0,
   batches |-> [p \in AllPartitions |-> "none"], sequences |-> [p \in AllPartitions |-> 0],
   epochBump |-> FALSE, generation |-> None, position |-> None]

InitialCoordinator ==
  [broker |-> 1, epoch |-> 0, metadata |-> Unknown, pending |-> "None",
   appending |-> <<>>, completing |-> <<>>, outstanding |-> {}]

InitialPartition ==
  [leader |-> 1, log |-> <<>>, highWatermark |-> 0, producers |-> NoProducers, verification |-> NoVerification]

Init ==
  /\ client = [c \in ClientNumbers |-> InitialClient]
  /\ requests = {} /\ produces = {} /\ markers = {}
  /\ coordinator = [t \in Ids |-> InitialCoordinator]
  /\ transactionState = [t \in Ids |-> Unknown]
  /\ partition = [p \in AllPartitions |-> InitialPartition]
  /\ nextProducerId = 1
  /\ generation = 0
  /\ faults = FaultBudget
  /\ history = [c \in ClientNumbers |-> [n \in 1..TransactionsPerClient |->
                  [partitions |-> {}, input |-> None, intent |-> "none", outcome |-> "none"]]]

-----------------------------------------------------------------------------
(* CLIENT.  The producer's state machine (TransactionManager).             *)

TransactionOf(c) == [client |-> c, number |-> client[c].number]

\* At most one transactional request is in flight.
Waiting(c) == \E r \in requests : r.client = c /\ r.copy = Live

Request(c, kind, p, result) ==
  [client |-> c, copy |-> Live, broker |-> coordinator[IdOf(c)].broker, stage |-> "sent", kind |-> kind,
   producerId |-> client[c].producerId, epoch |-> client[c].epoch, partition |-> p, result |-> result,
   version |-> VersionOf(c), transaction |-> TransactionOf(c)]

Recall(h, c, n, field, value) ==
  IF field = "intent" THEN [h EXCEPT ![c][n].intent = value] ELSE [h EXCEPT ![c][n].outcome = value]

\* The first send of a transaction begins it (beginTransaction, folded in);
\* with a group it works on the input at the client's position.
CanWrite(c) ==
  \/ client[c].state = "IN_TRANSACTION"
  \/ /\ client[c].state = "READY"
     /\ client[c].number < TransactionsPerClient
     /\ Group => client[c].generation # None
Writing(c) == IF client[c].state = "READY" THEN [client[c] EXCEPT !.state = "IN_TRANSACTION", !.number = @ + 1] ELSE client[c]
HandedOver(c, p) ==
  [history EXCEPT ![c][Writing(c).number].partitions = @ \cup {p},
                  ![c][Writing(c).number].input = client[c].position]

\* The group's offset goes with a transaction that has a record.
Precedes(c, p) ==
  p = GroupPartition => OffsetsInTransaction /\ {q \in Partitions : client[c].batches[q] # "none"} # {}

\* initTransactions().
InitTransactions(c) ==
  /\ client[c].state = "UNINITIALIZED"
  /\ client' = [client EXCEPT ![c].state = "INITIALIZING"]
  /\ requests' = requests \cup {Request(c, "InitProducerId", "", "")}
  /\ UNCHANGED <<produces, coordinatorVars, markers, partition, generation, faults, history>>

\* Version 1: a partition is added to the transaction before the first record
\* goes to it (AddPartitionsToTxn, and AddOffsetsToTxn for the group's offsets).
AddPartitionsToTxn(c, p) ==
  LET s == Writing(c)
  IN /\ VersionOf(c) = 1
     /\ CanWrite(c)
     /\ client[c].batches[p] = "none"
     /\ Precedes(c, p)
     /\ ~Waiting(c)
     /\ client' = [client EXCEPT ![c] = [s EXCEPT !.batches[p] = "adding"]]
     /\ requests' = requests \cup
          {[Request(c, "AddPartitionsToTxn", p, "") EXCEPT !.transaction.number = s.number]}
     /\ history' = HandedOver(c, p)
     /\ UNCHANGED <<produces, coordinatorVars, markers, partition, generation, faults>>

\* The record goes to the leader, or the group's offset to its coordinator
\* (Sender.sendProduceRequest, TransactionManager.TxnOffsetCommitHandler).
SendProduce(c, p) ==
  LET s == Writing(c)
  IN /\ CanWrite(c)
     /\ IF VersionOf(c) = 1 THEN client[c].batches[p] = "added"
        ELSE client[c].batches[p] = "none" /\ Precedes(c, p)
     /\ client' = [client EXCEPT ![c] = [s EXCEPT !.batches[p] = "inflight", !.sequences[p] = @ + 1]]
     /\ produces' = produces \cup
          {[client |-> c, partition |-> p, copy |-> Live, broker |-> partition[p].leader, stage |-> "sent",
            guard |-> FALSE, offset |-> None, producerId |-> s.producerId, epoch |-> s.epoch,
            sequence |-> IF p = GroupPartition THEN None ELSE s.sequences[p],
            version |-> VersionOf(c), generation |-> s.generation,
            transaction |-> [client |-> c, number |-> s.number], input |-> s.position]}
     /\ history' = HandedOver(c, p)
     /\ UNCHANGED <<requests, coordinatorVars, markers, partition, generation, faults>>

\* Something was put on the way to the coordinator; otherwise the transaction
\* ends without it.
Started(c) == \E p \in AllPartitions :
  client[c].batches[p] \in (IF VersionOf(c) = 1 THEN {"added", "inflight", "acked", "failed"} ELSE {"inflight", "acked", "failed"})

\* commitTransaction().  EndTxn waits for every record; with a group the
\* application has sent the offset too.
Commit(c) ==
  /\ client[c].state = "IN_TRANSACTION"
  /\ Group /\ OffsetsInTransaction => client[c].batches[GroupPartition] # "none"
  /\ ~Waiting(c)
  /\ MayCommit(client[c].batches)
  /\ client' = [client EXCEPT ![c].state = "COMMITTING"]
  /\ requests' = requests \cup {Request(c, "EndTxn", "", "COMMIT")}
  /\ history' = Recall(history, c, client[c].number, "intent", "commit")
  /\ UNCHANGED <<produces, coordinatorVars, markers, partition, generation, faults>>

\* What the producer is after the end of a transaction.
Ended(s) == [s EXCEPT !.state = "READY", !.batches = [p \in AllPartitions |-> "none"]]

\* The producer goes on with a new epoch from the coordinator (KIP-360).
Bumped(s) == [s EXCEPT !.state = "INITIALIZING", !.epochBump = FALSE, !.batches = [p \in AllPartitions |-> "none"]]

\* abortTransaction().  What was not sent is dropped, what was is waited for.
Abort(c) ==
  LET bump == BumpsEpochAfterAbort(client[c].epochBump, VersionOf(c))
  IN /\ client[c].state \in {"IN_TRANSACTION", "ABORTABLE_ERROR"}
     /\ ~Waiting(c)
     /\ \A p \in AllPartitions : client[c].batches[p] # "inflight"
     /\ IF Started(c)
        THEN /\ client' = [client EXCEPT ![c].state = "ABORTING"]
             /\ requests' = requests \cup {Request(c, "EndTxn", "", "ABORT")}
             /\ history' = Recall(history, c, client[c].number, "intent", "abort")
        ELSE /\ client' = [client EXCEPT ![c] = IF bump THEN Bumped(@) ELSE Ended(@)]
             /\ requests' = IF bump THEN requests \cup {Request(c, "InitProducerId", "", "")} ELSE requests
             /\ history' = Recall(Recall(history, c, client[c].number, "intent", "abort"),
                                  c, client[c].number, "outcome", "aborted")
     /\ UNCHANGED <<produces, coordinatorVars, markers, partition, generation, faults>>

\* A client joins the group, which makes a generation, and fetches the offset
\* that it goes on from.  OffsetFetch with requireStable (KIP-447) waits while
\* a transaction may still change it.
JoinGroup(c) ==
  /\ Group
  /\ client[c].state = "READY"
  /\ client[c].generation = None
  /\ FetchOffset(partition[GroupPartition]) # "UNSTABLE_OFFSET_COMMIT"
  /\ generation' = generation + 1
  /\ client' = [client EXCEPT ![c].generation = generation + 1, ![c].position = CommittedOffset(partition[GroupPartition])]
  /\ UNCHANGED <<requests, produces, coordinatorVars, markers, partition, faults, history>>

\* Outside of the transaction the offset is committed after it, by itself
\* (OffsetCommit); a member of an old generation may not.  What is in the log
\* already, and not replicated yet, is not committed again.
CommitOffset(c) ==
  LET q == partition[GroupPartition]
      replicated == [q EXCEPT !.highWatermark = Len(q.log)]
      entry == [kind |-> "DATA", producerId |-> None, epoch |-> None, sequence |-> None, coordinatorEpoch |-> None,
                transaction |-> NoTransaction, input |-> client[c].position - 1]
  IN /\ Group
     /\ ~OffsetsInTransaction
     /\ client[c].state = "READY"
     /\ client[c].generation = generation
     /\ client[c].position > CommittedOffset(replicated)
     /\ partition' = [partition EXCEPT ![GroupPartition] = Replicated([@ EXCEPT !.log = Append(@, entry)])]
     /\ UNCHANGED <<client, requests, produces, coordinatorVars, markers, generation, faults, history>>

\* The answer to a transactional request (TransactionManager.TxnRequestHandler).
AfterAnswer(s, r, error, producerId, epoch) ==
  IF IsAbortable(r.kind, r.result, error) THEN [s EXCEPT !.state = "ABORTABLE_ERROR"]
  ELSE IF error # "NONE" THEN [s EXCEPT !.state = "FATAL_ERROR"]
  ELSE CASE r.kind = "InitProducerId" ->
              [s EXCEPT !.state = "READY", !.producerId = producerId, !.epoch = epoch,
                        !.sequences = [p \in AllPartitions |-> 0]]
         [] r.kind = "AddPartitionsToTxn" -> [s EXCEPT !.batches[r.partition] = "added"]
         [] r.kind = "EndTxn" ->
              LET done == Group /\ r.result = "COMMIT" /\ (OffsetsInTransaction => s.batches[GroupPartition] = "acked")
                  position == IF done THEN s.position + 1 ELSE s.position
                  moved == [s EXCEPT !.producerId = producerId, !.epoch = epoch, !.position = position,
                              !.sequences = IF r.version = 2 THEN [p \in AllPartitions |-> 0] ELSE @]
              IN IF r.result = "ABORT" /\ BumpsEpochAfterAbort(s.epochBump, r.version) THEN Bumped(moved) ELSE Ended(moved)

\* Answers a request.  After an error that passes it is sent again, to the
\* coordinator of the moment; an answer to a copy reaches nobody.
Answered(r, error, producerId, epoch) ==
  LET c == r.client
      others == requests \ {r}
      after == AfterAnswer(client[c], r, error, producerId, epoch)
  IN CASE r.copy # Live -> [client |-> client, requests |-> others, history |-> history]
       [] r.copy = Live /\ IsRetriable(error) ->
            [client |-> client, history |-> history,
             requests |-> others \cup {[r EXCEPT !.stage = "sent", !.broker = coordinator'[IdOf(c)].broker]}]
       [] OTHER ->
            [client |-> [client EXCEPT ![c] = after],
             requests |-> IF r.kind = "EndTxn" /\ after.state = "INITIALIZING"
                          THEN others \cup {[r EXCEPT !.kind = "InitProducerId", !.result = "", !.stage = "sent",
                                               !.broker = coordinator'[IdOf(c)].broker]}
                          ELSE others,
             history |-> IF r.kind = "EndTxn" /\ error = "NONE"
                         THEN Recall(history, c, r.transaction.number, "outcome",
                                     IF r.result = "COMMIT" THEN "committed" ELSE "aborted")
                         ELSE history]
Answer(r, error, producerId, epoch) ==
  LET a == Answered(r, error, producerId, epoch)
  IN client' = a.client /\ requests' = a.requests /\ history' = a.history

\* The answer to a produce request (Sender.completeBatch).  Nobody waits for
\* the batch any more when it has expired.
AfterProduce(s, p, error) ==
  IF error = "NONE" THEN [s EXCEPT !.batches[p] = "acked"]
  ELSE IF s.state = "FATAL_ERROR" \/ IsFatalForProduce(p, error)
  THEN [s EXCEPT !.batches[p] = "failed", !.state = "FATAL_ERROR"]
  ELSE [s EXCEPT !.batches[p] = "failed", !.state = "ABORTABLE_ERROR", !.epochBump = TRUE]
ProduceAnswered(ms, m, error) ==
  IF m.copy = Live /\ IsRetriable(error)
  THEN (ms \ {m}) \cup {[m EXCEPT !.stage = "sent", !.guard = FALSE, !.broker = partition'[m.partition].leader]}
  ELSE ms \ {m}
ClientAfterProduce(m, error) ==
  IF m.copy # Live \/ IsRetriable(error) THEN client
  ELSE [client EXCEPT ![m.client] = AfterProduce(@, m.partition, error)]

\* The connection to the coordinator is lost, or request.timeout.ms is over:
\* the client sends again, and the first copy may still arrive.
DisconnectCoordinator(c) == \E r \in requests :
  /\ r.client = c /\ r.copy = Live
  /\ Fault("DisconnectCoordinator")
  /\ requests' = (requests \ {r}) \cup
       {[r EXCEPT !.copy = faults], [r EXCEPT !.stage = "sent", !.broker = coordinator[IdOf(c)].broker]}
  /\ UNCHANGED <<client, produces, coordinatorVars, markers, partition, generation, history>>

DisconnectLeader(c, p) == \E m \in produces :
  /\ m.client = c /\ m.partition = p /\ m.copy = Live
  /\ Fault("DisconnectLeader")
  /\ produces' = (produces \ {m}) \cup
       {[m EXCEPT !.copy = faults],
        [m EXCEPT !.stage = "sent", !.guard = FALSE, !.offset = None, !.broker = partition[p].leader]}
  /\ UNCHANGED <<client, requests, coordinatorVars, markers, partition, generation, history>>

\* delivery.timeout.ms: the batch fails, and may be written all the same.
ExpireBatch(c, p) == \E m \in produces :
  /\ m.client = c /\ m.partition = p /\ m.copy = Live
  /\ Fault("ExpireBatch")
  /\ produces' = (produces \ {m}) \cup {[m EXCEPT !.copy = faults]}
  /\ client' = [client EXCEPT ![c] = AfterProduce(@, p, "REQUEST_TIMED_OUT")]
  /\ UNCHANGED <<requests, coordinatorVars, markers, partition, generation, history>>

\* The application dies and starts again under the same transactional id.
CrashClient(c) ==
  /\ Fault("CrashClient")
  /\ client[c].state # "UNINITIALIZED"
  /\ client' = [client EXCEPT ![c] = [InitialClient EXCEPT !.number = client[c].number]]
  /\ requests' = {IF r.client = c /\ r.copy = Live THEN [r EXCEPT !.copy = faults] ELSE r : r \in requests}
  /\ produces' = {IF m.client = c /\ m.copy = Live THEN [m EXCEPT !.copy = faults] ELSE m : m \in produces}
  /\ UNCHANGED <<coordinatorVars, markers, partition, generation, history>>

-----------------------------------------------------------------------------
(* COORDINATOR *)

\* A decision is an error, or a record to be appended, or neither: success
\* that needs no record.
Begin(t, metadata, decision) ==
  /\ coordinator' = [coordinator EXCEPT ![t].metadata = metadata,
       ![t].pending = IF decision.target # <<>> THEN PendingState(decision.target[1].state) ELSE @,
       ![t].appending = IF decision.target # <<>> THEN decision.target ELSE @]
  /\ nextProducerId' = nextProducerId +
       (IF \/ metadata.producerId = nextProducerId
           \/ decision.target # <<>> /\ nextProducerId \in {decision.target[1].producerId, decision.target[1].nextProducerId}
        THEN 1 ELSE 0)
  /\ UNCHANGED transactionState

RequestsAt(c, k, kind) == {r \in requests : r.client = c /\ r.copy = k /\ r.kind = kind /\ r.stage = "sent"}

\* The request waits for the append, or is answered.
HandleRequest(r, metadata, decision) ==
  LET t == IdOf(r.client)
  IN /\ IF r.broker # coordinator[t].broker
        THEN /\ UNCHANGED coordinatorVars
             /\ Answer(r, "NOT_COORDINATOR", None, None)
        ELSE /\ Begin(t, metadata, decision)
             /\ IF decision.target # <<>>
                THEN requests' = (requests \ {r}) \cup {[r EXCEPT !.stage = "appending"]} /\ UNCHANGED <<client, history>>
                ELSE Answer(r, decision.error, decision.producerId, decision.epoch)
     /\ UNCHANGED <<produces, markers, partition, generation, faults>>

HandleInitProducerId(c, k) == \E r \in RequestsAt(c, k, "InitProducerId") :
  LET t == IdOf(c)
      known == IF coordinator[t].metadata.state = "Unknown" THEN Created(nextProducerId) ELSE coordinator[t].metadata
      next == IF known.producerId = nextProducerId THEN nextProducerId + 1 ELSE nextProducerId
      decision == InitProducerId(known, coordinator[t].pending, r, next)
  IN HandleRequest(r, IF decision.target # <<>> THEN WhileFencing(known, decision.target[1]) ELSE known, decision)

HandleAddPartitionsToTxn(c, k) == \E r \in RequestsAt(c, k, "AddPartitionsToTxn") :
  LET d == coordinator[IdOf(c)].metadata
  IN HandleRequest(r, d, AddPartitions(d, coordinator[IdOf(c)].pending, r))

HandleEndTxn(c, k) == \E r \in RequestsAt(c, k, "EndTxn") :
  LET d == coordinator[IdOf(c)].metadata
  IN HandleRequest(r, d, EndTxn(d, coordinator[IdOf(c)].pending, r, nextProducerId))

\* A leader asks whether a partition is in the transaction, or, version 2,
\* has it added (AddPartitionsToTxnManager).
HandleVerification(c, p, k) == \E m \in produces :
  LET t == IdOf(c)
      d == coordinator[t].metadata
      decision == IF m.version = 2 THEN AddPartitions(d, coordinator[t].pending, m) ELSE VerifyPartition(d, m)
  IN /\ m.client = c /\ m.partition = p /\ m.copy = k /\ m.stage = "verifying"
     /\ Begin(t, d, decision)
     /\ UNCHANGED <<requests, markers, partition, generation, faults, history>>
     /\ IF decision.error # "NONE"
        THEN LET error == VerificationError(p, m.version, decision.error)
             IN produces' = ProduceAnswered(produces, m, error) /\ client' = ClientAfterProduce(m, error)
        ELSE /\ produces' = (produces \ {m}) \cup
                  {[m EXCEPT !.stage = IF decision.target # <<>> THEN "adding" ELSE "verified"]}
             /\ UNCHANGED client

\* Markers go to all partitions of a prepared transaction.
MarkersOf(t, metadata, coordinatorEpoch) ==
  {[id |-> t, partition |-> p, copy |-> Live, broker |-> partition[p].leader, stage |-> "sent", offset |-> None,
    producerId |-> metadata.producerId, epoch |-> metadata.epoch, coordinatorEpoch |-> coordinatorEpoch,
    result |-> ResultOf(metadata.state), version |-> metadata.version, transaction |-> metadata.transaction]
   : p \in metadata.partitions}

\* Who waits for the append of this coordinator.
AppendingRequests(t) == {r \in requests : IdOf(r.client) = t /\ r.stage = "appending"}
AddingProduces(t) == {m \in produces : IdOf(m.client) = t /\ m.stage = "adding"}

\* An append ends, and whoever waits for it is answered.
AppendEnds(t, error, record) ==
  LET rotated == record.nextProducerId # None
  IN \/ /\ \E r \in AppendingRequests(t) :
             Answer(r, IF error = "NONE" THEN AppendAnswer(r.kind, record.state) ELSE error,
                    IF rotated THEN record.nextProducerId ELSE record.producerId, IF rotated THEN 0 ELSE record.epoch)
        /\ UNCHANGED produces
     \/ /\ \E m \in AddingProduces(t) :
             LET refusal == VerificationError(m.partition, m.version, error)
             IN produces' = IF error = "NONE" THEN (produces \ {m}) \cup {[m EXCEPT !.stage = "verified"]}
                            ELSE ProduceAnswered(produces, m, refusal)
        /\ UNCHANGED <<client, requests, history>>
     \/ /\ AppendingRequests(t) = {} /\ AddingProduces(t) = {}
        /\ UNCHANGED <<client, requests, history, produces>>

\* The record is replicated: it is applied, and a prepared transaction gets
\* its markers (TransactionStateManager.appendTransactionToLog).
AppendOk(t) ==
  LET record == coordinator[t].appending[1]
      prepared == IsPrepared(record.state)
  IN /\ coordinator[t].appending # <<>>
     /\ transactionState' = [transactionState EXCEPT ![t] = Persisted(record)]
     /\ coordinator' = [coordinator EXCEPT
          ![t].metadata = record, ![t].appending = <<>>,
          ![t].pending = IF prepared THEN CompletedState(record.state) ELSE "None",
          ![t].outstanding = IF prepared THEN record.partitions ELSE {},
          ![t].completing = IF prepared /\ record.partitions = {} THEN <<Completed(record)>> ELSE @]
     /\ markers' = IF prepared THEN markers \cup MarkersOf(t, record, coordinator[t].epoch) ELSE markers
     /\ UNCHANGED <<partition, nextProducerId, generation, faults>>
     /\ AppendEnds(t, "NONE", record)

\* The append fails for the caller; the record may be in the log all the
\* same.  The completion of a transaction is tried again.
AppendFailure(t, isWritten) ==
  LET record == coordinator[t].appending[1]
      completes == IsComplete(record.state)
  IN /\ coordinator[t].appending # <<>>
     /\ transactionState' = IF isWritten THEN [transactionState EXCEPT ![t] = Persisted(record)] ELSE transactionState
     /\ coordinator' = [coordinator EXCEPT
          ![t].appending = <<>>,
          ![t].completing = IF completes THEN <<record>> ELSE @,
          ![t].pending = IF completes THEN @ ELSE PendingAfterFailedAppend(@)]
     /\ UNCHANGED <<markers, partition, nextProducerId, generation>>
     /\ AppendEnds(t, "COORDINATOR_NOT_AVAILABLE", record)
AppendFail(t) == Fault("AppendFail") /\ AppendFailure(t, FALSE)
AppendUnknown(t) == Fault("AppendUnknown") /\ AppendFailure(t, TRUE)

\* The markers are written, so the transaction can be completed
\* (TransactionMarkerChannelManager.maybeWriteTxnCompletion).
CompleteTransaction(t) ==
  /\ coordinator[t].completing # <<>>
  /\ coordinator[t].appending = <<>>
  /\ IF MayComplete(coordinator[t].metadata.state)
     THEN coordinator' = [coordinator EXCEPT ![t].completing = Tail(@), ![t].appending = <<Head(coordinator[t].completing)>>]
     ELSE coordinator' = [coordinator EXCEPT ![t].completing = Tail(@)]
  /\ UNCHANGED <<client, requests, produces, transactionState, nextProducerId, markers, partition, generation, faults, history>>

\* The coordinator aborts a transaction that takes too long: as a fault while
\* somebody works on it, as the last way out when nobody does any more.
HasOwner(t) == \E c \in ClientNumbers :
  /\ IdOf(c) = t
  /\ client[c].state \notin {"UNINITIALIZED", "FATAL_ERROR"}
  /\ client[c].producerId = coordinator[t].metadata.producerId
  /\ client[c].epoch = coordinator[t].metadata.epoch
TransactionTimeout(t) ==
  LET d == coordinator[t].metadata
      record == Fence(d, TimeoutEpoch(d), nextProducerId)
  IN /\ d.state = "Ongoing"
     /\ coordinator[t].pending = "None"
     /\ IF HasOwner(t) THEN Fault("TransactionTimeout") ELSE UNCHANGED faults
     /\ Begin(t, WhileFencing(d, record), Write(record))
     /\ UNCHANGED <<client, requests, produces, markers, partition, generation, history>>

\* transactional.id.expiration.ms: the id is forgotten.
ExpireTransactionalId(t) ==
  LET d == coordinator[t].metadata
  IN /\ d.state = "Empty" \/ IsComplete(d.state)
     /\ coordinator[t].pending = "None"
     /\ d.epoch # None
     /\ Fault("ExpireTransactionalId")
     /\ Begin(t, d, Write(Unknown))
     /\ UNCHANGED <<client, requests, produces, markers, partition, generation, history>>

\* Another broker becomes the coordinator: it knows what the log says, and
\* sends the markers of a prepared transaction again.  An append under way
\* may have made it into the log, or not (TransactionStateManager.loadTransactions).
CoordinatorFailover(t, isWritten) ==
  LET old == coordinator[t]
      record == IF isWritten THEN Persisted(old.appending[1]) ELSE transactionState[t]
      prepared == IsPrepared(record.state)
  IN /\ Fault("CoordinatorFailover")
     /\ isWritten => old.appending # <<>>
     /\ transactionState' = [transactionState EXCEPT ![t] = record]
     /\ coordinator' = [coordinator EXCEPT ![t] =
          [broker |-> 3 - old.broker, epoch |-> old.epoch + 1, metadata |-> record,
           pending |-> IF prepared THEN CompletedState(record.state) ELSE "None", appending |-> <<>>,
           outstanding |-> IF prepared THEN record.partitions ELSE {},
           completing |-> IF prepared /\ record.partitions = {} THEN <<Completed(record)>> ELSE <<>>]]
     /\ markers' = {IF m.id = t /\ m.copy = Live THEN [m EXCEPT !.copy = faults] ELSE m : m \in markers}
                   \cup (IF prepared THEN MarkersOf(t, record, old.epoch + 1) ELSE {})
     /\ UNCHANGED <<partition, nextProducerId, generation>>
     /\ AppendEnds(t, "NOT_COORDINATOR", record)

-----------------------------------------------------------------------------
(* PARTITION LEADERS, and the group coordinator, which leads the partition *)
(* of the group's offsets.                                                 *)

ProducesAt(c, p, k, stage) == {m \in produces : m.client = c /\ m.partition = p /\ m.copy = k /\ m.stage = stage}

\* A guard is gone when the producer id has no verification any more.
Guarded(ms, p, verification) ==
  {IF m.partition = p /\ m.guard /\ m.producerId \notin DOMAIN verification THEN [m EXCEPT !.guard = FALSE] ELSE m : m \in ms}

EntryOf(m) == [kind |-> "DATA", producerId |-> m.producerId, epoch |-> m.epoch, sequence |-> m.sequence,
               coordinatorEpoch |-> None, transaction |-> m.transaction, input |-> m.input]
MarkerOf(m) == [kind |-> m.result, producerId |-> m.producerId, epoch |-> m.epoch, sequence |-> None,
                coordinatorEpoch |-> m.coordinatorEpoch, transaction |-> m.transaction, input |-> None]

RefuseProduce(m, error) ==
  /\ UNCHANGED partition
  /\ produces' = ProduceAnswered(produces, m, error)
  /\ client' = ClientAfterProduce(m, error)

\* The leader appends a batch, recognises it as a copy, or refuses it.
AppendProduce(m, isVerified) ==
  LET p == m.partition
      q == partition[p]
      error == Validate(q, m, isVerified, generation)
      duplicates == Duplicates(q, m)
      appended == Replicated(AppendEntry(q, EntryOf(m)))
      after == IF duplicates = {} THEN appended ELSE q
      offset == IF duplicates = {} THEN Len(q.log)
                ELSE q.producers[m.producerId].batches[CHOOSE i \in duplicates : TRUE].offset
      done == offset < after.highWatermark
      others == Guarded(produces \ {m}, p, after.verification)
  IN IF error # "NONE" THEN RefuseProduce(m, error)
     ELSE /\ partition' = [partition EXCEPT ![p] = after]
          /\ produces' = IF done THEN others ELSE others \cup {[m EXCEPT !.stage = "appended", !.guard = FALSE, !.offset = offset]}
          /\ client' = IF done THEN ClientAfterProduce(m, "NONE") ELSE client

\* The leader takes a produce request off the network: it appends to an open
\* transaction, and verifies the first batch of any other
\* (ReplicaManager.maybeSendPartitionsToTransactionCoordinator).
HandleProduce(c, p, k) == \E m \in ProducesAt(c, p, k, "sent") :
  LET q == partition[p]
  IN /\ IF m.broker # q.leader THEN RefuseProduce(m, "NOT_LEADER_OR_FOLLOWER")
        ELSE IF ~NeedsVerification(q, m) THEN AppendProduce(m, FALSE)
        ELSE IF IsStaleOnArrival(StateOf(q.producers, m.producerId).epoch, m.epoch) THEN RefuseProduce(m, "INVALID_PRODUCER_EPOCH")
        ELSE /\ partition' = [partition EXCEPT ![p].verification = StartVerification(@, m)]
             /\ produces' = (produces \ {m}) \cup {[m EXCEPT !.stage = "verifying", !.guard = TRUE]}
             /\ UNCHANGED client
     /\ UNCHANGED <<requests, coordinatorVars, markers, generation, faults, history>>

\* The coordinator has agreed, and the leader appends.
AppendVerified(c, p, k) == \E m \in ProducesAt(c, p, k, "verified") :
  /\ IF m.broker # partition[p].leader THEN RefuseProduce(m, "NOT_LEADER_OR_FOLLOWER") ELSE AppendProduce(m, TRUE)
  /\ UNCHANGED <<requests, coordinatorVars, markers, generation, faults, history>>

\* The coordinator is told that a marker is written; after the last one the
\* completion is due.
Acknowledge(t, p) ==
  coordinator' = [coordinator EXCEPT
    ![t].outstanding = @ \ {p},
    ![t].completing = IF coordinator[t].outstanding = {p}
                      THEN [i \in 1..Completions(coordinator[t].metadata.partitions) |-> Completed(coordinator[t].metadata)]
                      ELSE @]

\* A leader handles a marker.  The coordinator gives up when the leader knows
\* better (TransactionMarkerRequestCompletionHandler).
HandleMarker(t, p, k) == \E m \in {x \in markers : x.id = t /\ x.partition = p /\ x.copy = k /\ x.stage = "sent"} :
  LET q == partition[p]
      error == ValidateMarker(q, m)
      after == Replicated(AppendEntry(q, MarkerOf(m)))
      done == Len(q.log) < after.highWatermark
  IN /\ IF m.broker # q.leader
        THEN /\ markers' = (markers \ {m}) \cup (IF k = Live THEN {[m EXCEPT !.broker = q.leader]} ELSE {})
             /\ UNCHANGED <<partition, produces, coordinator>>
        ELSE IF error # "NONE"
        THEN markers' = markers \ {m} /\ UNCHANGED <<partition, produces, coordinator>>
        ELSE /\ partition' = [partition EXCEPT ![p] = after]
             /\ produces' = Guarded(produces, p, after.verification)
             /\ IF done
                THEN /\ markers' = markers \ {m}
                     /\ IF k = Live THEN Acknowledge(t, p) ELSE UNCHANGED coordinator
                ELSE /\ markers' = (markers \ {m}) \cup {[m EXCEPT !.stage = "appended", !.offset = Len(q.log)]}
                     /\ UNCHANGED coordinator
     /\ UNCHANGED <<client, requests, transactionState, nextProducerId, generation, faults, history>>

\* The answer to a marker is lost: the coordinator sends it again, and the
\* first copy may still arrive.
DisconnectMarker(t, p) == \E m \in {x \in markers : x.id = t /\ x.partition = p /\ x.copy = Live} :
  /\ Fault("DisconnectMarker")
  /\ markers' = (markers \ {m}) \cup
       {[m EXCEPT !.copy = faults], [m EXCEPT !.stage = "sent", !.offset = None, !.broker = partition[p].leader]}
  /\ UNCHANGED <<client, requests, produces, coordinatorVars, partition, generation, history>>

\* The follower fetches one entry; the high watermark passes it, and whoever
\* waited for that is answered.
Replicate(p) ==
  LET q == partition[p]
      after == [q EXCEPT !.highWatermark = @ + 1]
      answered == {m \in produces : m.partition = p /\ m.stage = "appended" /\ m.offset < after.highWatermark}
      acknowledged == {m \in markers : m.partition = p /\ m.stage = "appended" /\ m.offset < after.highWatermark}
      lives == {m \in acknowledged : m.copy = Live}
  IN /\ q.highWatermark < Len(q.log)
     /\ partition' = [partition EXCEPT ![p] = after]
     /\ produces' = produces \ answered
     /\ client' = [c \in ClientNumbers |->
          IF \E m \in answered : m.client = c /\ m.copy = Live THEN AfterProduce(client[c], p, "NONE") ELSE client[c]]
     /\ markers' = markers \ acknowledged
     /\ IF lives = {} THEN UNCHANGED coordinator ELSE \E m \in lives : Acknowledge(m.id, p)
     /\ UNCHANGED <<requests, transactionState, nextProducerId, generation, faults, history>>

\* The follower leads with what it has replicated.  Verifications are the old
\* leader's memory; what waited there for replication is sent again.
LeaderChange(p) ==
  LET q == partition[p]
      log == SubSeq(q.log, 1, q.highWatermark)
      waiting == {m \in produces : m.partition = p /\ m.stage = "appended"}
      unwritten == {m \in markers : m.partition = p /\ m.stage = "appended"}
  IN /\ Fault("LeaderChange")
     /\ partition' = [partition EXCEPT ![p] =
          [leader |-> 3 - q.leader, log |-> log, highWatermark |-> q.highWatermark,
           producers |-> Rebuild(log), verification |-> NoVerification]]
     /\ produces' = Guarded(produces \ waiting, p, NoVerification) \cup
          {[m EXCEPT !.stage = "sent", !.offset = None, !.broker = 3 - q.leader] : m \in {w \in waiting : w.copy = Live}}
     /\ markers' = (markers \ unwritten) \cup
          {[m EXCEPT !.stage = "sent", !.offset = None, !.broker = 3 - q.leader] : m \in {w \in unwritten : w.copy = Live}}
     /\ UNCHANGED <<client, requests, coordinatorVars, generation, history>>

-----------------------------------------------------------------------------
Next ==
  \/ \E c \in ClientNumbers : InitTransactions(c)
  \/ \E c \in ClientNumbers, p \in AllPartitions : AddPartitionsToTxn(c, p)
  \/ \E c \in ClientNumbers, p \in AllPartitions : SendProduce(c, p)
  \/ \E c \in ClientNumbers : Commit(c)
  \/ \E c \in ClientNumbers : Abort(c)
  \/ \E c \in ClientNumbers : JoinGroup(c)
  \/ \E c \in ClientNumbers : CommitOffset(c)
  \/ \E c \in ClientNumbers : DisconnectCoordinator(c)
  \/ \E c \in ClientNumbers, p \in AllPartitions : DisconnectLeader(c, p)
  \/ \E c \in ClientNumbers, p \in AllPartitions : ExpireBatch(c, p)
  \/ \E c \in ClientNumbers : CrashClient(c)
  \/ \E c \in ClientNumbers, k \in Copies : HandleInitProducerId(c, k)
  \/ \E c \in ClientNumbers, k \in Copies : HandleAddPartitionsToTxn(c, k)
  \/ \E c \in ClientNumbers, k \in Copies : HandleEndTxn(c, k)
  \/ \E c \in ClientNumbers, p \in AllPartitions, k \in Copies : HandleVerification(c, p, k)
  \/ \E t \in Ids : AppendOk(t)
  \/ \E t \in Ids : AppendFail(t)
  \/ \E t \in Ids : AppendUnknown(t)
  \/ \E t \in Ids : CompleteTransaction(t)
  \/ \E t \in Ids : TransactionTimeout(t)
  \/ \E t \in Ids : ExpireTransactionalId(t)
  \/ \E t \in Ids, isWritten \in BOOLEAN : CoordinatorFailover(t, isWritten)
  \/ \E c \in ClientNumbers, p \in AllPartitions, k \in Copies : HandleProduce(c, p, k)
  \/ \E c \in ClientNumbers, p \in AllPartitions, k \in Copies : AppendVerified(c, p, k)
  \/ \E t \in Ids, p \in AllPartitions, k \in Copies : HandleMarker(t, p, k)
  \/ \E t \in Ids, p \in AllPartitions : DisconnectMarker(t, p)
  \/ \E p \in AllPartitions : Replicate(p)
  \/ \E p \in AllPartitions : LeaderChange(p)

Spec == Init /\ [][Next]_vars
=============================================================================
