----------------------- MODULE TransactionProperties -----------------------
(***************************************************************************)
(* What must be true of Transactions.tla: first what users rely on, then   *)
(* what the protocol itself relies on, then the promise that it keeps.     *)
(* What must happen in the end is in TransactionLiveness.tla.  The names   *)
(* are those of the code, the reports and the README.                      *)
(***************************************************************************)
EXTENDS Transactions

TransactionNames == [client : ClientNumbers, number : 1..TransactionsPerClient]
Of(x) == history[x.client][x.number]

Log(p) == partition[p].log
Data(p) == {i \in DOMAIN Log(p) : ~IsMarker(Log(p)[i]) /\ IsTransactional(Log(p)[i])}
DataOf(p, x) == {i \in Data(p) : Log(p)[i].transaction = x}
FateAt(p, i) == Fate(Log(p), i)
Visible(p) == ReadCommitted(partition[p]) \cap Data(p)

\* The coordinator has decided to commit this transaction, and its marker for
\* the partition is on the way.
IsCommitting(x, p) ==
  LET k == coordinator[IdOf(x.client)]
  IN k.metadata.state = "PrepareCommit" /\ k.metadata.transaction = x /\ p \in k.outstanding

-----------------------------------------------------------------------------
(* TYPES *)

Results == {"", "COMMIT", "ABORT"}
TransactionStates ==
  {"Unknown", "Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"}
ClientStates ==
  {"UNINITIALIZED", "INITIALIZING", "READY", "IN_TRANSACTION", "COMMITTING", "ABORTING", "ABORTABLE_ERROR", "FATAL_ERROR"}
Numbers == Nat \cup {None}
Epochs == -1..MaxEpoch
Names == [client : 0..Clients, number : 0..TransactionsPerClient]
Metadata ==
  [producerId : Numbers, previousProducerId : Numbers, nextProducerId : Numbers, epoch : Epochs, lastEpoch : Epochs,
   state : TransactionStates, partitions : SUBSET AllPartitions, version : {1, 2}, failedEpochFence : BOOLEAN,
   transaction : Names]
Entries ==
  [kind : {"DATA", "COMMIT", "ABORT"}, producerId : Numbers, epoch : Epochs, sequence : Numbers,
   coordinatorEpoch : Numbers, transaction : Names, input : Numbers]

TypeOK ==
  /\ client \in [ClientNumbers ->
       [state : ClientStates, producerId : Numbers, epoch : Epochs, number : 0..TransactionsPerClient,
        batches : [AllPartitions -> {"none", "adding", "added", "inflight", "acked", "failed"}],
        sequences : [AllPartitions -> Nat], epochBump : BOOLEAN, generation : Numbers, position : Numbers]]
  /\ \A r \in requests : r \in
       [client : ClientNumbers, copy : Copies, broker : {1, 2}, stage : {"sent", "appending"},
        kind : {"InitProducerId", "AddPartitionsToTxn", "EndTxn"}, producerId : Numbers, epoch : Epochs,
        partition : AllPartitions \cup {""}, result : Results, version : {1, 2}, transaction : Names]
  /\ \A m \in produces : m \in
       [client : ClientNumbers, partition : AllPartitions, copy : Copies, broker : {1, 2},
        stage : {"sent", "verifying", "adding", "verified", "appended"}, guard : BOOLEAN, offset : Numbers,
        producerId : Nat, epoch : 0..MaxEpoch, sequence : Numbers, version : {1, 2}, generation : Numbers,
        transaction : Names, input : Numbers]
  /\ \A t \in Ids : LET k == coordinator[t] IN
       /\ DOMAIN k = {"broker", "epoch", "metadata", "pending", "appending", "completing", "outstanding"}
       /\ k.broker \in {1, 2} /\ k.epoch \in Nat /\ k.metadata \in Metadata
       /\ k.pending \in {"None", "Dead"} \cup (TransactionStates \ {"Unknown"})
       /\ k.appending \in Seq(Metadata) /\ Len(k.appending) <= 1
       /\ k.completing \in Seq(Metadata)
       /\ k.outstanding \subseteq AllPartitions
  /\ transactionState \in [Ids -> Metadata]
  /\ \A m \in markers : m \in
       [id : Ids, partition : AllPartitions, copy : Copies, broker : {1, 2}, stage : {"sent", "appended"},
        offset : Numbers, producerId : Nat, epoch : 0..MaxEpoch, coordinatorEpoch : Nat, result : {"COMMIT", "ABORT"},
        version : {1, 2}, transaction : Names]
  /\ DOMAIN partition = AllPartitions
  /\ \A p \in AllPartitions : LET q == partition[p] IN
       /\ DOMAIN q = {"leader", "log", "highWatermark", "producers", "verification"}
       /\ q.leader \in {1, 2} /\ q.log \in Seq(Entries) /\ q.highWatermark \in 0..Len(q.log)
       /\ \A i \in DOMAIN q.producers : i \in Nat /\ q.producers[i] \in
            [epoch : 0..MaxEpoch, coordinatorEpoch : Numbers, batches : Seq([sequence : Nat, offset : Nat]), firstOffset : Numbers]
       /\ \A i \in DOMAIN q.verification : i \in Nat /\ q.verification[i] \in
            [epoch : 0..MaxEpoch, lowestSequence : Numbers, version : {1, 2}]
  /\ nextProducerId \in Nat /\ generation \in Nat /\ faults \in 0..FaultBudget
  /\ history \in [ClientNumbers -> [1..TransactionsPerClient ->
       [partitions : SUBSET AllPartitions, input : Numbers, intent : {"none", "commit", "abort"},
        outcome : {"none", "committed", "aborted"}]]]

-----------------------------------------------------------------------------
(* WHAT USERS RELY ON *)

\* An acknowledged record is in the log, below the high watermark.
NoLoss == \A c \in ClientNumbers, p \in AllPartitions : client[c].batches[p] = "acked" =>
  \E i \in DataOf(p, TransactionOf(c)) : i <= partition[p].highWatermark

\* Of a transaction of which one record can be read, none is aborted or missing.
Atomicity == \A p \in AllPartitions : \A i \in Visible(p) :
  LET x == Log(p)[i].transaction
  IN \A q \in Of(x).partitions : \E j \in DataOf(q, x) : FateAt(q, j) # "ABORT"

\* No transaction is committed here and aborted there.
SingleOutcome == \A p, q \in AllPartitions : \A i \in Data(p), j \in Data(q) :
  Log(p)[i].transaction = Log(q)[j].transaction => {FateAt(p, i), FateAt(q, j)} # {"COMMIT", "ABORT"}

\* Nothing can be read of a transaction whose application was told that it is aborted.
NoAbortedRead == \A p \in AllPartitions : \A i \in Visible(p) : Of(Log(p)[i].transaction).outcome # "aborted"

\* Nothing can be read of a transaction that its application did not commit.
NoUncommittedRead == \A p \in AllPartitions : \A i \in Visible(p) : Of(Log(p)[i].transaction).intent = "commit"

\* Nothing can be read at or above the last stable offset.
NoReadBeyondLastStableOffset == \A p \in AllPartitions : \A i \in Visible(p) :
  i <= partition[p].highWatermark /\ \A j \in Unstable(partition[p]) : i < j

\* Every record handed over in a transaction whose commit was reported can be
\* read, or its marker is on the way.
NoLostCommit == \A x \in TransactionNames : Of(x).outcome = "committed" =>
  \A p \in Of(x).partitions : \E i \in DataOf(p, x) :
    i <= partition[p].highWatermark /\ (FateAt(p, i) = "COMMIT" \/ IsCommitting(x, p))

\* Nothing can be read twice: no record, and no output of the same input.
NoDuplicate == \A p \in Partitions : \A i, j \in Visible(p) : i # j =>
  /\ Log(p)[i].transaction # Log(p)[j].transaction
  /\ Group => Log(p)[i].input # Log(p)[j].input

\* The group's offset is that of the inputs whose output is committed.
OffsetsAgreeWithOutputs == Group =>
  \A n \in 0..(CommittedOffset(partition[GroupPartition]) - 1) : \E p \in Partitions : \E i \in Data(p) :
    Log(p)[i].input = n /\ (FateAt(p, i) = "COMMIT" \/ IsCommitting(Log(p)[i].transaction, p))

\* No offset is given to a group that a transaction may still change.
StableOffsets == Group /\ FetchOffset(partition[GroupPartition]) = "NONE" => Unstable(partition[GroupPartition]) = {}

\* Every open transaction of a partition is one that its coordinator knows
\* and will end.  Only a fence may be an epoch ahead of the data.
NoHangingTransaction == \A p \in AllPartitions : \A i \in DOMAIN partition[p].producers :
  LET s == partition[p].producers[i]
  IN s.firstOffset # None => \E t \in Ids :
       LET k == coordinator[t]
           fencing == k.pending = "PrepareAbort" \/ k.metadata.failedEpochFence
       IN /\ k.metadata.producerId = i
          /\ \/ k.metadata.state = "Ongoing" /\ p \in k.metadata.partitions
                /\ (k.metadata.epoch = s.epoch \/ (fencing /\ k.metadata.epoch = s.epoch + 1))
             \/ IsPrepared(k.metadata.state) /\ p \in k.outstanding /\ k.metadata.epoch \in {s.epoch, s.epoch + 1}

\* A marker ends the transaction that it was written for.
NoForeignMarker == \A p \in AllPartitions : \A i \in Data(p) : MarkersAfter(Log(p), i) # {} =>
  Log(p)[First(MarkersAfter(Log(p), i))].transaction = Log(p)[i].transaction

\* Where one instance has an identity, an older one of the same id writes no more.
IsNewer(s, entry) == s.producerId > entry.producerId \/ (s.producerId = entry.producerId /\ s.epoch > entry.epoch)
IsFenced(entry) == \E c \in ClientNumbers :
  /\ c # entry.transaction.client /\ IdOf(c) = IdOf(entry.transaction.client)
  /\ client[c].producerId # None /\ IsNewer(client[c], entry)
FencedStep == \A p \in AllPartitions : Len(Log(p)') > Len(Log(p)) =>
  LET entry == Log(p)'[Len(Log(p)')] IN ~IsMarker(entry) /\ IsTransactional(entry) => ~IsFenced(entry)
ZombieFenced == [][FencedStep]_vars

\* What can be read stays readable.
StableReads == [][\A p \in AllPartitions : \A i \in Visible(p) : i \in Visible(p)' /\ Log(p)'[i] = Log(p)[i]]_vars

\* Without a fault, and without another instance or member, the application
\* sees no error.
NoErrorWithoutFault == (faults = FaultBudget /\ Clients = TransactionalIds /\ (Group => Clients = 1)) =>
  \A c \in ClientNumbers : client[c].state \notin {"ABORTABLE_ERROR", "FATAL_ERROR"}

\* A producer is ended by another instance, by a timeout, by the expiry of its
\* id, or by a late copy of its own request, not by what brokers do.
NoFatalError ==
  (/\ Clients = TransactionalIds
   /\ FaultKinds \cap {"TransactionTimeout", "CrashClient", "ExpireTransactionalId", "DisconnectCoordinator"} = {}) =>
    \A c \in ClientNumbers : client[c].state # "FATAL_ERROR"

-----------------------------------------------------------------------------
(* WHAT THE PROTOCOL RELIES ON *)

\* No two instances have the same identity.
UniqueIdentity == \A c, d \in ClientNumbers :
  c # d /\ client[c].producerId # None /\ client[c].producerId = client[d].producerId => client[c].epoch # client[d].epoch

\* The last epoch is for markers; no client has it.
NoLastEpoch == \A c \in ClientNumbers : client[c].epoch < MaxEpoch

\* A transition that is pending is one that somebody works on.
NoStuckTransition == \A t \in Ids : coordinator[t].pending # "None" =>
  \/ coordinator[t].appending # <<>> \/ coordinator[t].completing # <<>>
  \/ \E m \in markers : m.id = t /\ m.copy = Live

\* Markers are for transactions whose outcome is in the coordinator's log.
MarkerOnlyAfterPrepare == \A m \in markers : m.copy = Live =>
  LET d == transactionState[m.id]
  IN IsPrepared(d.state) /\ ResultOf(d.state) = m.result /\ d.producerId = m.producerId /\ d.epoch = m.epoch

\* A transaction is complete when each of its partitions has the marker.
CompleteStep == \A t \in Ids :
  IsPrepared(transactionState[t].state) /\ IsComplete(transactionState'[t].state) =>
    \A p \in transactionState[t].partitions : \E i \in 1..partition[p].highWatermark :
      /\ Log(p)[i].kind = ResultOf(transactionState[t].state)
      /\ Log(p)[i].producerId = transactionState[t].producerId /\ Log(p)[i].epoch = transactionState[t].epoch
CompleteOnlyAfterMarkers == [][CompleteStep]_vars

\* Epochs do not go back: not for a coordinator, but for one that it raised
\* in memory and could not write, nor for a leader.
EpochStep ==
  /\ \A t \in Ids : LET d == coordinator[t].metadata  e == coordinator'[t].metadata IN
       d.state # "Unknown" /\ e.state # "Unknown" /\ ~d.failedEpochFence =>
         e.producerId > d.producerId \/ (e.producerId = d.producerId /\ e.epoch >= d.epoch)
  /\ \A p \in AllPartitions : partition[p].leader = partition'[p].leader =>
       \A i \in DOMAIN partition[p].producers :
         /\ partition'[p].producers[i].epoch >= partition[p].producers[i].epoch
         /\ partition'[p].producers[i].coordinatorEpoch >= partition[p].producers[i].coordinatorEpoch
MonotoneEpochs == [][EpochStep]_vars

\* The state machines of the coordinator (TransactionState.validPreviousStates)
\* and of the client (TransactionManager.State.isTransitionValid).
LegalPredecessors(state) ==
  CASE state = "Unknown" -> {"Empty", "CompleteCommit", "CompleteAbort"}
    [] state = "Empty" -> {"Unknown", "Empty", "CompleteCommit", "CompleteAbort"}
    [] state = "Ongoing" -> {"Ongoing", "Empty", "CompleteCommit", "CompleteAbort"}
    [] state = "PrepareCommit" -> {"Ongoing"}
    [] state = "PrepareAbort" -> {"Ongoing"} \cup (IF TransactionVersion = 2 THEN {"Empty", "CompleteCommit", "CompleteAbort"} ELSE {})
    [] state = "CompleteCommit" -> {"PrepareCommit"}
    [] state = "CompleteAbort" -> {"PrepareAbort"}
LegalSources(state) ==
  CASE state = "UNINITIALIZED" -> {}
    [] state = "INITIALIZING" -> {"UNINITIALIZED", "ABORTING", "ABORTABLE_ERROR"}
    [] state = "READY" -> {"INITIALIZING", "COMMITTING", "ABORTING", "IN_TRANSACTION", "ABORTABLE_ERROR"}
    [] state = "IN_TRANSACTION" -> {"READY"}
    [] state = "COMMITTING" -> {"IN_TRANSACTION"}
    [] state = "ABORTING" -> {"IN_TRANSACTION", "ABORTABLE_ERROR"}
    [] state = "ABORTABLE_ERROR" -> {"IN_TRANSACTION", "COMMITTING", "INITIALIZING"}
    [] state = "FATAL_ERROR" -> {"INITIALIZING", "IN_TRANSACTION", "COMMITTING", "ABORTING", "ABORTABLE_ERROR"}
TransitionStep ==
  /\ \A t \in Ids : LET from == coordinator[t].metadata.state  to == coordinator'[t].metadata.state IN
       coordinator'[t].epoch = coordinator[t].epoch /\ from # to => from \in LegalPredecessors(to) \/ (from = "Unknown" /\ to = "Empty")
  /\ \A c \in ClientNumbers : LET from == client[c].state  to == client'[c].state IN
       from # to /\ to # "UNINITIALIZED" => from \in LegalSources(to)
LegalTransitions == [][TransitionStep]_vars

-----------------------------------------------------------------------------
(* REFINEMENT.  A transaction is decided when the coordinator applies the   *)
(* record that says so; afterwards its markers witness it.  One that was   *)
(* aborted and never had a partition leaves no marker; its application is  *)
(* the witness.                                                            *)

DecisionOf(x) ==
  LET k == coordinator[IdOf(x.client)]
      written == UNION {{Log(p)[i].kind : i \in {j \in DOMAIN Log(p) : IsMarker(Log(p)[j]) /\ Log(p)[j].transaction = x}}
                        : p \in AllPartitions}
  IN IF written # {} THEN CHOOSE kind \in written : TRUE
     ELSE IF IsPrepared(k.metadata.state) /\ k.metadata.transaction = x /\ k.metadata.partitions # {}
     THEN ResultOf(k.metadata.state)
     ELSE IF Of(x).outcome = "aborted" THEN "ABORT" ELSE "OPEN"

Promise == INSTANCE ExactlyOnceTransactions WITH
  Partitions <- AllPartitions,
  Transactions <- TransactionNames,
  wrote <- [x \in TransactionNames |-> Of(x).partitions],
  decision <- [x \in TransactionNames |-> DecisionOf(x)],
  readable <- [p \in AllPartitions |-> {Log(p)[i].transaction : i \in Visible(p)}],
  outcome <- [x \in TransactionNames |-> Of(x).outcome]
Refines == Promise!Spec
=============================================================================
