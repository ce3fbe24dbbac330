------------------------- MODULE IdempotentProducer -------------------------
(***************************************************************************)
(* Idempotent sequencing: how a Kafka producer numbers its batches, how a  *)
(* partition leader recognises the copies that retries make of them, and   *)
(* what replication, leader changes and restarts do to that knowledge.     *)
(*                                                                         *)
(* One action is one role handling one message, one timer or one call,     *)
(* atomically.  Time does not exist: a timeout is an action that may       *)
(* happen whenever its guard holds, and costs a fault.                     *)
(*                                                                         *)
(* The rules that have been wrong in the field are named operators (the    *)
(* section RULES).  A museum exhibit or a Kafka release overrides them in  *)
(* its configuration; the rules as written here are the base, under which  *)
(* the guarantees hold.  ExactlyOnce.tla says what the guarantees are.     *)
(*                                                                         *)
(* What the abstractions leave out, and why, stands in README.md.          *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Partitions,          \* names of the topic partitions
  BatchesPerPartition, \* the application hands this many batches to each
  TwoRecordBatches,    \* the batches that hold two records; others hold one
  Acks,                \* producer config acks: "0", "1" or "all"
  Idempotence,         \* producer config enable.idempotence
  Retries,             \* producer config retries
  MaxInFlight,         \* producer config max.in.flight.requests.per.connection
  DedupWindow,         \* batches a leader remembers per producer id (Kafka: 5)
  MaxSequence,         \* the last sequence number before the wrap to 0
  MaxEpoch,            \* the last producer epoch before a new producer id
  MaxAttempts,         \* retries are counted up to here
  StartSequence,       \* first sequence of the run; above 0 is a warm start
  FaultBudget,         \* how many faults a behaviour may contain
  FaultKinds           \* which kinds of fault they may be

Batches == 1..BatchesPerPartition

\* A warm start assumes that one record, batch 0, was written, replicated
\* and acknowledged before the run began, with sequence StartSequence - 1.
WarmBatch == 0
WarmStart == StartSequence > 0

Brokers == {1, 2}     \* the replicas of every partition; min.insync.replicas = 2
None == -1            \* Kafka's NO_PRODUCER_ID, NO_PRODUCER_EPOCH, NO_SEQUENCE, ...
FirstProducerId == 1

RefusalKinds == {"NOT_LEADER_OR_FOLLOWER", "KAFKA_STORAGE_ERROR", "TOPIC_AUTHORIZATION_FAILED"}
AllFaultKinds == RefusalKinds \cup
  {"Disconnect", "TimeOutProduce", "ExpireBatch", "LeaderChange", "RestartLeader", "ExpireProducerState", "RestartProducer"}

ASSUME
  /\ BatchesPerPartition \in Nat /\ TwoRecordBatches \subseteq Batches
  /\ Acks \in {"0", "1", "all"} /\ Idempotence \in BOOLEAN
  /\ Idempotence => Acks = "all" /\ Retries > 0     \* ProducerConfig.postProcessAndValidateIdempotenceConfigs
  /\ Retries \in Nat /\ MaxInFlight \in Nat \ {0} /\ DedupWindow \in Nat \ {0}
  /\ Idempotence => MaxInFlight <= DedupWindow
  /\ MaxSequence \in Nat /\ MaxEpoch \in Nat /\ StartSequence \in 0..MaxSequence
  /\ MaxAttempts \in Nat \ {0, 1} /\ (Retries < MaxAttempts \/ Retries = 2147483647)
  /\ FaultBudget \in Nat /\ FaultKinds \subseteq AllFaultKinds

VARIABLES
  producer,       \* the producer's identity: [id, epoch]
  sender,         \* per partition: what the producer knows and has queued
  requests,       \* per partition: produce requests on the way, in send order
  responses,      \* per partition: answers on the way on the current connection
  leader,         \* per partition: the broker that leads it
  highWatermark,  \* per partition: the offset below which consumers read
  delayedProduce, \* per partition: the request that waits for replication
  replica,        \* per partition and broker: [log, producers]
  faults          \* how many more faults may happen

producerVars == <<producer, sender>>
networkVars == <<requests, responses>>
brokerVars == <<leader, highWatermark, delayedProduce, replica>>
vars == <<producerVars, networkVars, brokerVars, faults>>

-----------------------------------------------------------------------------
(* SEQUENCE NUMBERS.  They count records, and wrap from MaxSequence to 0.  *)

RecordCount(b) == IF b \in TwoRecordBatches THEN 2 ELSE 1

\* DefaultRecordBatch.incrementSequence and decrementSequence.
IncrementSequence(sequence, n) ==
  IF sequence > MaxSequence - n THEN n - (MaxSequence - sequence) - 1 ELSE sequence + n
LastSequence(sequence, n) == IncrementSequence(sequence, n - 1)

Undecided(s, b) == s.batches[b].status \in {"queued", "inflight"}

\* TxnPartitionEntry.inflightBatchesBySequence.
Sequenced(s) == {b \in Batches : s.batches[b].sequence # None /\ Undecided(s, b)}

-----------------------------------------------------------------------------
(* RULES.  Each of these has been wrong in some broker or client.          *)

\* What the producer does to its counter when it first sends a batch of n
\* records, and when such a batch is acknowledged.
SequenceAfterSend(sequence, n) == IncrementSequence(sequence, n)
SequenceAfterAcknowledgement(sequence, n) == sequence

\* a comes before b, when both are numbers of batches in flight.  Half the
\* sequence space decides, so the order survives the wrap.
SequencePrecedes(a, b) ==
  IF b > a THEN b - a <= MaxSequence \div 2 ELSE a - b > MaxSequence \div 2

\* The sequence that follows the last acknowledged one (None at the start).
IsNextSequence(sequence, lastAcked) ==
  sequence = IF lastAcked = None THEN 0 ELSE IncrementSequence(lastAcked, 1)

\* Errors after which the producer sends the batch again (RetriableException,
\* and for the idempotent producer OUT_OF_ORDER_SEQUENCE_NUMBER:
\* TransactionManager.canRetry).
IsRetriable(error) ==
  error \in {"NETWORK_EXCEPTION", "NOT_LEADER_OR_FOLLOWER", "KAFKA_STORAGE_ERROR", "REQUEST_TIMED_OUT",
             "OUT_OF_ORDER_SEQUENCE_NUMBER"}

\* Answers that prove that this attempt wrote nothing; an earlier one may
\* have (maybeWritten).  After any other the producer must not give the batch
\* another identity.
ProvesNotWritten(error) ==
  error \in {"OUT_OF_ORDER_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH", "TOPIC_AUTHORIZATION_FAILED", "INVALID_RECORD"}

\* What a failure other than expiry does to the numbering: the hole, if it is
\* one, must stay behind in the old epoch (TransactionManager.handleFailedBatch;
\* Kafka does so while retries are left, the base always).
AfterFailure(s, b) == [s EXCEPT !.epochBump = TRUE]

\* A new epoch gives every sequenced batch a new identity, which the leader
\* cannot recognise; so none of them may already be in the log.
MayBumpEpoch(s) == \A b \in Sequenced(s) : s.batches[b].status = "queued" /\ ~s.batches[b].maybeWritten

\* The batches a leader remembers of a producer id, oldest first.
RememberedBatches(batches) ==
  IF Len(batches) > DedupWindow THEN Tail(batches) ELSE batches

\* The sequence with which a producer id may begin on a partition that has
\* no state for it.
IsFirstSequence(sequence) == sequence = 0

\* What a broker knows of the producers after a restart: as much as before.
RestoreProducers(producers) == producers

\* What a leader knows when the append of a validated batch has failed.
ProducersAfterFailedAppend(producers, entry) == producers

-----------------------------------------------------------------------------
(* REPLICA.  A log of batches and what follows from it about producers.    *)

NoProducers == [i \in {} |-> 0]
LogEndOffset(log) == IF log = <<>> THEN 0 ELSE log[Len(log)].offset + log[Len(log)].count

\* ProducerStateManager.update: a new epoch forgets the old one's batches.
AppendProducer(producers, entry) ==
  IF entry.producerId = None THEN producers
  ELSE LET known == entry.producerId \in DOMAIN producers /\ producers[entry.producerId].epoch = entry.epoch
           before == IF known THEN producers[entry.producerId].batches ELSE <<>>
           after == RememberedBatches(Append(before, [sequence |-> entry.sequence,
                      last |-> LastSequence(entry.sequence, entry.count), offset |-> entry.offset]))
       IN [i \in DOMAIN producers \cup {entry.producerId} |->
             IF i = entry.producerId THEN [epoch |-> entry.epoch, batches |-> after] ELSE producers[i]]

AppendEntry(r, entry) ==
  [log |-> Append(r.log, entry), producers |-> AppendProducer(r.producers, entry)]

RECURSIVE Rebuild(_)
Rebuild(log) ==
  IF log = <<>> THEN NoProducers
  ELSE AppendProducer(Rebuild(SubSeq(log, 1, Len(log) - 1)), log[Len(log)])

\* UnifiedLog.truncateTo: producer state is rebuilt from the log that is left.
Truncate(r, length) ==
  IF Len(r.log) <= length THEN r
  ELSE LET log == SubSeq(r.log, 1, length) IN [log |-> log, producers |-> Rebuild(log)]

EntryAt(r, m) ==
  [producerId |-> m.producerId, epoch |-> m.epoch, sequence |-> m.sequence, count |-> m.count,
   batch |-> m.batch, offset |-> LogEndOffset(r.log)]

\* ProducerStateEntry.findDuplicateBatch: same epoch, same first and last
\* sequence.  The set has at most one element.
Duplicates(producers, m) ==
  IF m.producerId \notin DOMAIN producers \/ producers[m.producerId].epoch # m.epoch THEN {}
  ELSE {d \in {producers[m.producerId].batches[i] : i \in DOMAIN producers[m.producerId].batches} :
          d.sequence = m.sequence /\ d.last = LastSequence(m.sequence, m.count)}

\* ProducerAppendInfo.checkSequence.
InSequence(producers, m) ==
  IF m.producerId \notin DOMAIN producers THEN IsFirstSequence(m.sequence)
  ELSE LET known == producers[m.producerId]
       IN IF m.epoch > known.epoch \/ known.batches = <<>> THEN m.sequence = 0
          ELSE m.sequence = IncrementSequence(known.batches[Len(known.batches)].last, 1)

\* The leader's answer to a request, before anything is appended
\* (UnifiedLog.analyzeAndValidateProducerState, LogValidator).
Validate(producers, m) ==
  CASE m.producerId = None -> "NONE"
    [] m.producerId # None /\ m.sequence < 0 -> "INVALID_RECORD"
    [] m.producerId # None /\ m.sequence >= 0 ->
         IF m.producerId \in DOMAIN producers /\ m.epoch < producers[m.producerId].epoch
         THEN "INVALID_PRODUCER_EPOCH"
         ELSE IF Duplicates(producers, m) # {} \/ InSequence(producers, m)
              THEN "NONE" ELSE "OUT_OF_ORDER_SEQUENCE_NUMBER"

-----------------------------------------------------------------------------
(* SENDER.  What the producer does with the batches of one partition.      *)

FreshBatch == [status |-> "queued", sequence |-> None, attempts |-> 0, maybeWritten |-> FALSE,
               reset |-> FALSE, offset |-> None]

\* A retried batch goes back to where its sequence belongs; without
\* idempotence it goes to the front (RecordAccumulator.reenqueue).
Behind(s, b) ==
  {n \in 0..Len(s.queue) : \A i \in 1..n :
     /\ s.batches[s.queue[i]].sequence # None
     /\ SequencePrecedes(s.batches[s.queue[i]].sequence, s.batches[b].sequence)}
Requeue(s, b) ==
  LET n == IF Idempotence THEN CHOOSE n \in Behind(s, b) : \A k \in Behind(s, b) : k <= n ELSE 0
  IN [s EXCEPT !.queue = SubSeq(s.queue, 1, n) \o <<b>> \o SubSeq(s.queue, n + 1, Len(s.queue)),
               !.batches[b].status = "queued",
               !.batches[b].attempts = IF @ < MaxAttempts THEN @ + 1 ELSE @]

\* A decided batch is forgotten but for its outcome.
Decided(status, offset) == [FreshBatch EXCEPT !.status = status, !.offset = offset]

\* A batch that expired in flight still waits for an answer, and the answer
\* still tells which sequence the leader has; after a bump it tells it of the
\* old epoch, as in Kafka.
Acknowledged(s, b, offset) ==
  LET last == LastSequence(s.batches[b].sequence, RecordCount(b))
      later == Idempotence /\ (s.lastAcked = None \/ SequencePrecedes(s.lastAcked, last))
  IN [s EXCEPT !.lastAcked = IF later THEN last ELSE @,
               !.nextSequence = IF Idempotence THEN SequenceAfterAcknowledgement(@, RecordCount(b)) ELSE @,
               !.batches[b] = IF @.status = "inflight" THEN Decided("acked", offset) ELSE Decided("failed", None)]

Failed(s, b) ==
  LET numbered == IF Idempotence THEN AfterFailure(s, b) ELSE s
  IN [numbered EXCEPT !.batches[b] = Decided("failed", None)]

\* TransactionManager.canRetry: an out-of-order batch that is the next one
\* expected, or that follows an expired one, needs a new epoch.
WantsEpoch(s, b) ==
  IF s.unresolved # None THEN s.batches[b].sequence = s.unresolved
  ELSE ~s.batches[b].reset /\ IsNextSequence(s.batches[b].sequence, s.lastAcked)

\* Sender.completeBatch: what an answer other than success does to a batch
\* that still waits for it.
Refused(s, b, error) ==
  LET uncertain == [s EXCEPT !.batches[b].maybeWritten = @ \/ ~ProvesNotWritten(error)]
      wanted == [uncertain EXCEPT !.epochBump = @ \/ (error = "OUT_OF_ORDER_SEQUENCE_NUMBER" /\ WantsEpoch(s, b))]
  IN IF s.batches[b].status # "inflight" THEN [s EXCEPT !.batches[b] = Decided("failed", None)]
     ELSE IF IsRetriable(error) /\ s.batches[b].attempts < Retries THEN Requeue(wanted, b)
     ELSE Failed(s, b)

RECURSIVE RefusedAll(_, _, _)
RefusedAll(s, bs, error) ==
  IF bs = <<>> THEN s ELSE RefusedAll(Refused(s, Head(bs), error), Tail(bs), error)

\* NetworkClient: a lost connection answers everything in flight on it.  What
\* request.timeout.ms ends is REQUEST_TIMED_OUT since KAFKA-14317, to the same
\* effect.
Disconnected(s) ==
  [RefusedAll(s, s.inFlight, "NETWORK_EXCEPTION") EXCEPT !.inFlight = <<>>, !.connection = @ + 1]

Stale(s) == s.producerId # producer.id \/ s.epoch # producer.epoch

\* Sender.runOnce bumps the epoch before it sends anything.
EpochBumpDue ==
  /\ \E p \in Partitions : sender[p].epochBump
  /\ \A p \in Partitions : sender[p].epochBump => MayBumpEpoch(sender[p])

RECURSIVE RecordsBefore(_, _, _)
RecordsBefore(s, bs, b) ==
  IF bs = {} THEN 0
  ELSE LET a == CHOOSE x \in bs : TRUE
       IN RecordsBefore(s, bs \ {a}, b) +
          IF a # b /\ SequencePrecedes(s.batches[a].sequence, s.batches[b].sequence) THEN RecordCount(a) ELSE 0

RECURSIVE RecordsIn(_)
RecordsIn(bs) == IF bs = {} THEN 0 ELSE LET a == CHOOSE x \in bs : TRUE IN RecordCount(a) + RecordsIn(bs \ {a})

\* TxnPartitionMap.startSequencesAtBeginning: all that is sequenced gets the
\* new identity, numbered from 0 in its old order.
StartSequencesAtBeginning(s, identity) ==
  [s EXCEPT !.producerId = identity.id, !.epoch = identity.epoch, !.lastAcked = None,
            !.unresolved = None, !.epochBump = FALSE,
            !.nextSequence = RecordsIn(Sequenced(s)),
            !.batches = [b \in Batches |->
              IF b \in Sequenced(s)
              THEN [s.batches[b] EXCEPT !.sequence = RecordsBefore(s, Sequenced(s), b), !.reset = TRUE]
              ELSE s.batches[b]]]

-----------------------------------------------------------------------------
(* INITIAL STATE *)

WarmEntry == [producerId |-> IF Idempotence THEN FirstProducerId ELSE None, epoch |-> IF Idempotence THEN 0 ELSE None,
              sequence |-> IF Idempotence THEN StartSequence - 1 ELSE None, count |-> 1, batch |-> WarmBatch, offset |-> 0]
InitialLog == IF WarmStart THEN <<WarmEntry>> ELSE <<>>
InitialReplica == [log |-> InitialLog, producers |-> Rebuild(InitialLog)]

InitialSender ==
  [producerId |-> FirstProducerId, epoch |-> 0, nextSequence |-> StartSequence,
   lastAcked |-> IF WarmStart THEN StartSequence - 1 ELSE None,
   unresolved |-> None, epochBump |-> FALSE, queue |-> [i \in Batches |-> i], inFlight |-> <<>>, connection |-> 0,
   batches |-> [b \in Batches |-> FreshBatch]]

Init ==
  /\ producer = [id |-> FirstProducerId, epoch |-> 0]
  /\ sender = [p \in Partitions |-> InitialSender]
  /\ requests = [p \in Partitions |-> <<>>]
  /\ responses = [p \in Partitions |-> <<>>]
  /\ leader = [p \in Partitions |-> 1]
  /\ highWatermark = [p \in Partitions |-> LogEndOffset(InitialLog)]
  /\ delayedProduce = [p \in Partitions |-> <<>>]
  /\ replica = [p \in Partitions |-> [k \in Brokers |-> InitialReplica]]
  /\ faults = FaultBudget

Fault(kind) == kind \in FaultKinds /\ faults > 0 /\ faults' = faults - 1

-----------------------------------------------------------------------------
(* PRODUCER ACTIONS *)

Transmit(p, s, b) ==
  requests' = [requests EXCEPT ![p] = Append(@,
    [connection |-> s.connection, broker |-> leader[p], batch |-> b, count |-> RecordCount(b),
     producerId |-> IF Idempotence THEN s.producerId ELSE None, epoch |-> IF Idempotence THEN s.epoch ELSE None,
     sequence |-> s.batches[b].sequence])]

\* With acks=0 a batch is done when it is written to the socket.
Sent(s, b) ==
  IF Acks = "0" THEN [s EXCEPT !.queue = Tail(@), !.batches[b] = Decided("acked", None)]
  ELSE [s EXCEPT !.queue = Tail(@), !.batches[b].status = "inflight", !.batches[b].reset = FALSE,
                 !.inFlight = Append(@, b)]

\* The producer sends the batch at the head of the queue for the first time
\* and gives it its identity (RecordAccumulator.drainBatchesForOneNode).
\* Not while batches of an older identity are undecided, nor while the fate
\* of an expired batch is open, nor before a bump that is wanted.
Send(p) ==
  LET s == sender[p]
      b == Head(s.queue)
      current == IF Idempotence /\ Stale(s) THEN StartSequencesAtBeginning(s, producer) ELSE s
      numbered == IF Idempotence
                  THEN [current EXCEPT !.batches[b].sequence = current.nextSequence,
                                       !.nextSequence = SequenceAfterSend(@, RecordCount(b))]
                  ELSE current
  IN /\ s.queue # <<>>
     /\ s.batches[b].sequence = None
     /\ s.batches[b].attempts = 0
     /\ Len(s.inFlight) < MaxInFlight
     /\ ~EpochBumpDue
     /\ ~s.epochBump
     /\ s.unresolved = None
     /\ Stale(s) => Sequenced(s) = {}
     /\ sender' = [sender EXCEPT ![p] = Sent(numbered, b)]
     /\ Transmit(p, numbered, b)
     /\ UNCHANGED <<producer, responses, brokerVars, faults>>

\* The producer sends the batch at the head of the queue again, as it was.
\* With idempotence only the lowest sequence in flight is sent again
\* (RecordAccumulator.shouldStopDrainBatchesForPartition).
Resend(p) ==
  LET s == sender[p]
      b == Head(s.queue)
  IN /\ s.queue # <<>>
     /\ ~(s.batches[b].sequence = None /\ s.batches[b].attempts = 0)
     /\ Len(s.inFlight) < MaxInFlight
     /\ ~EpochBumpDue
     /\ Idempotence => \A a \in Sequenced(s) \ {b} : SequencePrecedes(s.batches[b].sequence, s.batches[a].sequence)
     /\ sender' = [sender EXCEPT ![p] = Sent(s, b)]
     /\ Transmit(p, s, b)
     /\ UNCHANGED <<producer, responses, brokerVars, faults>>

\* The producer learns the fate of its oldest request (Sender.handleProduceResponse).
ReceiveResponse(p) ==
  LET s == [sender[p] EXCEPT !.inFlight = Tail(@)]
      answer == Head(responses[p])
  IN /\ responses[p] # <<>>
     /\ sender' = [sender EXCEPT ![p] =
          IF answer.error = "NONE" THEN Acknowledged(s, answer.batch, answer.offset)
          ELSE Refused(s, answer.batch, answer.error)]
     /\ responses' = [responses EXCEPT ![p] = Tail(@)]
     /\ UNCHANGED <<producer, requests, brokerVars, faults>>

\* delivery.timeout.ms: the oldest queued or the oldest sent batch fails and
\* nobody knows whether it was written.  A retried batch leaves its sequence
\* unresolved (TransactionManager.markSequenceUnresolved).  After MaxAttempts
\* retries it is the last way out, and then not a fault.
Expirable(s) == {b \in Batches :
  \/ s.queue # <<>> /\ b = Head(s.queue)
  \/ s.inFlight # <<>> /\ b = Head(s.inFlight) /\ s.batches[b].status = "inflight"}
ExpireBatch(p, b) ==
  LET s == sender[p]
      retried == s.batches[b].attempts > 0
      following == IncrementSequence(s.batches[b].sequence, RecordCount(b))
  IN /\ b \in Expirable(s)
     /\ IF s.batches[b].attempts = MaxAttempts THEN UNCHANGED faults ELSE Fault("ExpireBatch")
     /\ sender' = [sender EXCEPT ![p] =
          [s EXCEPT !.batches[b] = [Decided("failed", None) EXCEPT !.sequence =
                                      IF s.batches[b].status = "inflight" THEN s.batches[b].sequence ELSE None],
                    !.queue = IF @ # <<>> /\ b = Head(@) THEN Tail(@) ELSE @,
                    !.unresolved = IF Idempotence /\ retried /\ (@ = None \/ SequencePrecedes(@, following))
                                   THEN following ELSE @]]
     /\ UNCHANGED <<producer, networkVars, brokerVars>>

\* Once nothing is in flight, either the expired batch turned out to be
\* written, or the sequence has a hole (TransactionManager.maybeResolveSequences).
ResolveSequences(p) ==
  LET s == sender[p]
  IN /\ s.unresolved # None
     /\ Sequenced(s) = {}
     /\ sender' = [sender EXCEPT ![p].unresolved = None,
          ![p].epochBump = @ \/ ~IsNextSequence(s.nextSequence, s.lastAcked)]
     /\ UNCHANGED <<producer, networkVars, brokerVars, faults>>

\* KIP-360: the idempotent producer raises its epoch itself, or takes a new
\* producer id after the last one; that does not fence late copies of the old
\* id, so it ends the session.  Partitions that did not ask for it move
\* to the new identity when they next send with nothing in flight.
BumpEpoch ==
  LET next == IF producer.epoch < MaxEpoch THEN [id |-> producer.id, epoch |-> producer.epoch + 1]
              ELSE [id |-> producer.id + 1, epoch |-> 0]
  IN /\ EpochBumpDue
     /\ producer' = next
     /\ sender' = [p \in Partitions |->
          IF sender[p].epochBump THEN StartSequencesAtBeginning(sender[p], next) ELSE sender[p]]
     /\ UNCHANGED <<networkVars, brokerVars, faults>>

\* The application is restarted: a new producer id, and everything without
\* an acknowledgement is handed over again.
RestartProducer ==
  LET next == [id |-> producer.id + 1, epoch |-> 0]
  IN /\ Fault("RestartProducer")
     /\ producer' = next
     /\ sender' = [p \in Partitions |->
          [InitialSender EXCEPT !.producerId = next.id, !.nextSequence = 0, !.lastAcked = None,
            !.connection = sender[p].connection + 1,
            !.queue = SelectSeq([i \in Batches |-> i], LAMBDA b : Undecided(sender[p], b)),
            !.batches = [b \in Batches |-> IF Undecided(sender[p], b) THEN FreshBatch ELSE [sender[p].batches[b] EXCEPT !.sequence = None]]]]
     /\ responses' = [p \in Partitions |-> <<>>]
     /\ delayedProduce' = [p \in Partitions |-> <<>>]
     /\ UNCHANGED <<requests, leader, highWatermark, replica>>

-----------------------------------------------------------------------------
(* NETWORK ACTIONS *)

Connections == 0..FaultBudget

\* TCP: the oldest request of a connection arrives next.  The broker reads
\* none while it has one unanswered on that connection (the channel is muted).
Arrivals(p, c) == {i \in DOMAIN requests[p] :
  /\ requests[p][i].connection = c
  /\ \A k \in DOMAIN requests[p] : k < i => requests[p][k].connection # c}
Deliverable(p, c) == Arrivals(p, c) # {} /\ (c = sender[p].connection => delayedProduce[p] = <<>>)
Arriving(p, c) == requests[p][CHOOSE i \in Arrivals(p, c) : TRUE]
WithoutArriving(p, c) ==
  LET n == CHOOSE i \in Arrivals(p, c) : TRUE
  IN SubSeq(requests[p], 1, n - 1) \o SubSeq(requests[p], n + 1, Len(requests[p]))

\* Nothing more is answered on the connection; what was sent on it may still
\* arrive, in order, arbitrarily late.
CloseConnection(p) ==
  /\ sender' = [sender EXCEPT ![p] = Disconnected(@)]
  /\ responses' = [responses EXCEPT ![p] = <<>>]
  /\ delayedProduce' = [delayedProduce EXCEPT ![p] = <<>>]

\* The producer's connection breaks, or request.timeout.ms makes it give up.
\* Only a connection with something on it is worth breaking.
Disconnect(p) ==
  /\ Fault("Disconnect")
  /\ ~(sender[p].inFlight = <<>> /\ Arrivals(p, sender[p].connection) = {})
  /\ CloseConnection(p)
  /\ UNCHANGED <<producer, requests, leader, highWatermark, replica>>

-----------------------------------------------------------------------------
(* BROKER ACTIONS *)

Answer(m, error, offset) == [batch |-> m.batch, error |-> error, offset |-> offset]
Respond(p, answer) == responses' = [responses EXCEPT ![p] = Append(@, answer)]

\* An error goes back as an answer; acks=0 has none, so the broker closes
\* the connection (KafkaApis.handleProduceRequest).  On a connection that the
\* producer has left, nobody is told.
Refuse(p, m, error) ==
  IF m.connection # sender[p].connection THEN UNCHANGED <<sender, responses, delayedProduce>>
  ELSE IF Acks = "0" THEN CloseConnection(p)
  ELSE Respond(p, Answer(m, error, None)) /\ UNCHANGED <<sender, delayedProduce>>

\* Success is answered at once with acks=1, and with acks=all when the high
\* watermark has passed the batch (DelayedProduce).
Accept(p, m, offset) ==
  IF m.connection # sender[p].connection \/ Acks = "0" THEN UNCHANGED <<responses, delayedProduce>>
  ELSE IF Acks = "1" \/ highWatermark[p] >= offset + m.count
  THEN Respond(p, Answer(m, "NONE", offset)) /\ UNCHANGED delayedProduce
  ELSE UNCHANGED responses
       /\ delayedProduce' = [delayedProduce EXCEPT ![p] = <<[batch |-> m.batch, offset |-> offset, count |-> m.count]>>]

\* The broker handles a produce request (ReplicaManager.appendRecords).
HandleProduce(p, c) ==
  LET m == Arriving(p, c)
      r == replica[p][leader[p]]
      error == IF m.broker # leader[p] THEN "NOT_LEADER_OR_FOLLOWER" ELSE Validate(r.producers, m)
      duplicates == Duplicates(r.producers, m)
  IN /\ Deliverable(p, c)
     /\ requests' = [requests EXCEPT ![p] = WithoutArriving(p, c)]
     /\ IF error # "NONE"
        THEN Refuse(p, m, error) /\ UNCHANGED replica
        ELSE IF duplicates # {}
        THEN Accept(p, m, (CHOOSE d \in duplicates : TRUE).offset) /\ UNCHANGED <<sender, replica>>
        ELSE /\ Accept(p, m, LogEndOffset(r.log))
             /\ replica' = [replica EXCEPT ![p][leader[p]] = AppendEntry(r, EntryAt(r, m))]
             /\ UNCHANGED sender
     /\ UNCHANGED <<producer, leader, highWatermark, faults>>

\* The broker refuses a request it would have appended: it does not lead the
\* partition yet, its disk fails during the append, or the producer has lost
\* its permission.
RefuseProduce(p, c, error) ==
  LET m == Arriving(p, c)
      r == replica[p][leader[p]]
      validated == Validate(r.producers, m) = "NONE" /\ Duplicates(r.producers, m) = {}
  IN /\ Deliverable(p, c)
     /\ m.broker = leader[p]
     /\ error = "KAFKA_STORAGE_ERROR" => validated
     /\ c = sender[p].connection
     /\ Fault(error)
     /\ requests' = [requests EXCEPT ![p] = WithoutArriving(p, c)]
     /\ Refuse(p, m, error)
     /\ replica' = IF error # "KAFKA_STORAGE_ERROR" THEN replica
                   ELSE [replica EXCEPT ![p][leader[p]].producers =
                           IF m.producerId = None THEN @ ELSE ProducersAfterFailedAppend(@, EntryAt(r, m))]
     /\ UNCHANGED <<producer, leader, highWatermark>>

\* The request waits too long for replication and is answered although its
\* batch is in the log.
TimeOutProduce(p) ==
  /\ Fault("TimeOutProduce")
  /\ delayedProduce[p] # <<>>
  /\ Respond(p, [batch |-> delayedProduce[p][1].batch, error |-> "REQUEST_TIMED_OUT", offset |-> None])
  /\ delayedProduce' = [delayedProduce EXCEPT ![p] = <<>>]
  /\ UNCHANGED <<producerVars, requests, leader, highWatermark, replica>>

Follower(p) == 3 - leader[p]

\* The follower fetches one batch; both replicas have it now, so the high
\* watermark passes it and a request that waited for that is answered
\* (ReplicaFetcherThread, Partition.maybeIncrementLeaderHW).
Replicate(p) ==
  LET from == replica[p][leader[p]]
      to == replica[p][Follower(p)]
      entry == from.log[Len(to.log) + 1]
      delayed == delayedProduce[p]
      done == delayed # <<>> /\ entry.offset + entry.count >= delayed[1].offset + delayed[1].count
  IN /\ Len(to.log) < Len(from.log)
     /\ replica' = [replica EXCEPT ![p][Follower(p)] = AppendEntry(to, entry)]
     /\ highWatermark' = [highWatermark EXCEPT ![p] = entry.offset + entry.count]
     /\ IF done
        THEN /\ Respond(p, [batch |-> delayed[1].batch, error |-> "NONE", offset |-> delayed[1].offset])
             /\ delayedProduce' = [delayedProduce EXCEPT ![p] = <<>>]
        ELSE UNCHANGED <<responses, delayedProduce>>
     /\ UNCHANGED <<producerVars, requests, leader, faults>>

\* The follower becomes leader with what it has replicated; the old leader
\* follows it and drops the rest.  Requests to the old leader are refused
\* unless the leadership comes back to it.
LeaderChange(p) ==
  /\ Fault("LeaderChange")
  /\ leader' = [leader EXCEPT ![p] = Follower(p)]
  /\ replica' = [replica EXCEPT ![p][leader[p]] = Truncate(@, Len(replica[p][Follower(p)].log))]
  /\ CloseConnection(p)
  /\ UNCHANGED <<producer, requests, highWatermark>>

\* The leader restarts and leads again: the leadership goes away and comes
\* back in one step.  What was on its connections is gone; what it knows of
\* producers comes from its snapshot.
RestartLeader(p) ==
  /\ Fault("RestartLeader")
  /\ replica' = [replica EXCEPT ![p][leader[p]].producers = RestoreProducers(@)]
  /\ requests' = [requests EXCEPT ![p] = SelectSeq(@, LAMBDA m : m.broker # leader[p])]
  /\ CloseConnection(p)
  /\ UNCHANGED <<producer, leader, highWatermark>>

\* producer.id.expiration.ms: the partition forgets its producers.
ExpireProducerState(p) ==
  /\ Fault("ExpireProducerState")
  /\ {k \in Brokers : replica[p][k].producers # NoProducers} # {}
  /\ replica' = [replica EXCEPT ![p] = [k \in Brokers |-> [@[k] EXCEPT !.producers = NoProducers]]]
  /\ UNCHANGED <<producerVars, networkVars, leader, highWatermark, delayedProduce>>

-----------------------------------------------------------------------------
Next ==
  \/ \E p \in Partitions : Send(p)
  \/ \E p \in Partitions : Resend(p)
  \/ \E p \in Partitions : ReceiveResponse(p)
  \/ \E p \in Partitions, b \in Batches : ExpireBatch(p, b)
  \/ \E p \in Partitions : ResolveSequences(p)
  \/ BumpEpoch
  \/ RestartProducer
  \/ \E p \in Partitions : Disconnect(p)
  \/ \E p \in Partitions, c \in Connections : HandleProduce(p, c)
  \/ \E p \in Partitions, c \in Connections, error \in RefusalKinds : RefuseProduce(p, c, error)
  \/ \E p \in Partitions : TimeOutProduce(p)
  \/ \E p \in Partitions : Replicate(p)
  \/ \E p \in Partitions : LeaderChange(p)
  \/ \E p \in Partitions : RestartLeader(p)
  \/ \E p \in Partitions : ExpireProducerState(p)

Spec == Init /\ [][Next]_vars

\* Every recovery step that stays possible is taken; faults never have to
\* happen, nor need a lost connection deliver what was sent on it.  ExpireBatch
\* needs strong fairness: each retry disables it.
Fairness ==
  /\ \A p \in Partitions :
       /\ WF_vars(Send(p))
       /\ WF_vars(Resend(p))
       /\ WF_vars(ReceiveResponse(p))
       /\ WF_vars(ResolveSequences(p))
       /\ WF_vars(Replicate(p))
       /\ WF_vars(HandleProduce(p, sender[p].connection))
       /\ \A b \in Batches : SF_vars(sender[p].batches[b].attempts = MaxAttempts /\ ExpireBatch(p, b))
  /\ WF_vars(BumpEpoch)

FairSpec == Spec /\ Fairness

-----------------------------------------------------------------------------
(* PROPERTIES *)

\* What a consumer can read: the leader's log below the high watermark.
Readable(p) == SelectSeq(replica[p][leader[p]].log, LAMBDA e : e.offset + e.count <= highWatermark[p])
Status(p, b) == sender[p].batches[b].status

\* An acknowledged batch is where the acknowledgement says.  acks=all claims
\* that consumers can read it there, acks=1 that the leader has it, acks=0
\* that it was put on the way.
Kept(p, b) ==
  LET offset == sender[p].batches[b].offset
      At(log) == \E i \in DOMAIN log : log[i].batch = b /\ log[i].offset = offset
  IN CASE Acks = "all" -> At(Readable(p))
       [] Acks = "1" -> At(replica[p][leader[p]].log)
       [] Acks = "0" -> \/ \E i \in DOMAIN replica[p][leader[p]].log : replica[p][leader[p]].log[i].batch = b
                        \/ \E i \in DOMAIN requests[p] : requests[p][i].batch = b

NoLoss == \A p \in Partitions, b \in Batches : Status(p, b) = "acked" => Kept(p, b)

\* No batch is readable twice.
NoDuplicate == \A p \in Partitions : \A i, k \in DOMAIN Readable(p) :
  Readable(p)[i].batch = Readable(p)[k].batch => i = k

\* Before an acknowledged batch of the partition nothing is missing, except
\* what the application was told has failed.
NoGap == \A p \in Partitions, b \in Batches : Status(p, b) = "acked" =>
  \A a \in 1..(b - 1) :
    \/ Status(p, a) = "failed"
    \/ \E i \in DOMAIN replica[p][leader[p]].log : replica[p][leader[p]].log[i].batch = a
    \/ Acks = "0" /\ \E i \in DOMAIN requests[p] : requests[p][i].batch = a

\* Batches are readable in the order in which they were sent.
InOrder == \A p \in Partitions : \A i, k \in DOMAIN Readable(p) :
  i < k => Readable(p)[i].batch <= Readable(p)[k].batch

\* Without a fault the producer never sees an error and drops nothing.
NoErrorWithoutFault == faults = FaultBudget => \A p \in Partitions :
  /\ \A b \in Batches : Status(p, b) # "failed" /\ sender[p].batches[b].attempts = 0
  /\ ~sender[p].epochBump /\ sender[p].unresolved = None
  /\ \A i \in DOMAIN responses[p] : responses[p][i].error = "NONE"

\* Followers never have what the leader lacks, and the high watermark is
\* where the follower ends.
ReplicasAgree == \A p \in Partitions :
  /\ Len(replica[p][Follower(p)].log) <= Len(replica[p][leader[p]].log)
  /\ \A i \in DOMAIN replica[p][Follower(p)].log : replica[p][Follower(p)].log[i] = replica[p][leader[p]].log[i]
  /\ highWatermark[p] = LogEndOffset(replica[p][Follower(p)].log)

SequenceNumbers == -1..MaxSequence    \* with None
Numbers == -1..2147483647       \* ids and offsets, with None
Strings == {"NONE"} \cup RefusalKinds \cup
  {"REQUEST_TIMED_OUT", "OUT_OF_ORDER_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH", "INVALID_RECORD"}
BatchStates == [status : {"queued", "inflight", "acked", "failed"}, sequence : SequenceNumbers,
                attempts : 0..MaxAttempts, maybeWritten : BOOLEAN, reset : BOOLEAN, offset : Numbers]
TypeOK ==
  /\ producer \in [id : Nat, epoch : 0..MaxEpoch]
  /\ DOMAIN sender = Partitions
  /\ \A p \in Partitions : LET s == sender[p] IN
       /\ DOMAIN s = {"producerId", "epoch", "nextSequence", "lastAcked", "unresolved", "epochBump", "queue",
                      "inFlight", "connection", "batches"}
       /\ s.producerId \in Nat /\ s.epoch \in 0..MaxEpoch
       /\ s.nextSequence \in 0..MaxSequence /\ s.lastAcked \in SequenceNumbers
       /\ s.unresolved \in SequenceNumbers /\ s.epochBump \in BOOLEAN /\ s.connection \in Connections
       /\ s.queue \in Seq(Batches) /\ s.inFlight \in Seq(Batches)
       /\ s.batches \in [Batches -> BatchStates]
       /\ Len(s.inFlight) <= MaxInFlight
       /\ \A b \in Batches : (\E i \in DOMAIN s.queue : s.queue[i] = b) <=> s.batches[b].status = "queued"
       /\ \A b \in Batches : s.batches[b].status = "inflight" => \E i \in DOMAIN s.inFlight : s.inFlight[i] = b
  /\ requests \in [Partitions -> Seq([connection : Connections, broker : Brokers, batch : Batches, count : 1..2,
       producerId : Numbers, epoch : -1..MaxEpoch, sequence : SequenceNumbers])]
  /\ responses \in [Partitions -> Seq([batch : Batches, error : Strings, offset : Numbers])]
  /\ leader \in [Partitions -> Brokers]
  /\ highWatermark \in [Partitions -> Nat]
  /\ delayedProduce \in [Partitions -> Seq([batch : Batches, offset : Nat, count : 1..2])]
  /\ \A p \in Partitions : Len(delayedProduce[p]) <= 1
  /\ DOMAIN replica = Partitions
  /\ \A p \in Partitions, k \in Brokers :
       /\ DOMAIN replica[p][k] = {"log", "producers"}
       /\ replica[p][k].log \in Seq([producerId : Numbers, epoch : Numbers, sequence : Numbers, count : 1..2,
                                     batch : {WarmBatch} \cup Batches, offset : Nat])
       /\ DOMAIN replica[p][k].producers \subseteq Nat
       /\ \A i \in DOMAIN replica[p][k].producers : LET e == replica[p][k].producers[i] IN
            /\ DOMAIN e = {"epoch", "batches"} /\ e.epoch \in 0..MaxEpoch
            /\ Len(e.batches) <= DedupWindow
            /\ e.batches \in Seq([sequence : 0..MaxSequence, last : 0..MaxSequence, offset : Nat])
  /\ faults \in 0..FaultBudget

\* The steps of a batch, and of the producer's identity, that are legal.
LegalProducerStep ==
  /\ \A p \in Partitions, b \in Batches :
       LET from == Status(p, b)  to == sender'[p].batches[b].status IN
         \/ from = to
         \/ from = "queued" /\ to \in {"inflight", "failed"}
         \/ from = "queued" /\ to = "acked" /\ Acks = "0"
         \/ from = "inflight" /\ to \in {"queued", "acked", "failed"}
  /\ \/ producer' = producer
     \/ producer'.id = producer.id /\ producer'.epoch = producer.epoch + 1
     \/ producer'.id = producer.id + 1 /\ producer'.epoch = 0
\* A sent batch keeps its identity until the producer takes a new one.
KeepsIdentity == \A p \in Partitions, b \in Batches :
  b \in Sequenced(sender[p]) /\ Undecided(sender'[p], b) /\ sender'[p].epoch = sender[p].epoch /\ sender'[p].producerId = sender[p].producerId
    => sender'[p].batches[b].sequence = sender[p].batches[b].sequence
\* Within its leadership a leader only appends, and its knowledge of an
\* epoch never goes back.
LegalLeaderStep == \A p \in Partitions : leader'[p] = leader[p] =>
  LET before == replica[p][leader[p]]  after == replica'[p][leader[p]] IN
    /\ Len(after.log) >= Len(before.log)
    /\ SubSeq(after.log, 1, Len(before.log)) = before.log
    /\ \A i \in DOMAIN before.producers \cap DOMAIN after.producers :
         after.producers[i].epoch >= before.producers[i].epoch
\* What a consumer can read stays readable.
ReadStable == \A p \in Partitions :
  LET now == Readable(p)  next == Readable(p)' IN Len(next) >= Len(now) /\ SubSeq(next, 1, Len(now)) = now

LegalProducerSteps == [][LegalProducerStep]_vars
KeepsIdentities == [][KeepsIdentity]_vars
LegalLeaderSteps == [][LegalLeaderStep]_vars
StableReads == [][ReadStable]_vars

\* Every batch is acknowledged or reported as failed in the end.
EveryRecordDecided == \A p \in Partitions, b \in Batches : <>(Status(p, b) \in {"acked", "failed"})

\* The refinement: what consumers can read, and what the application knows.
Promise == INSTANCE ExactlyOnce WITH
  Records <- Batches,
  log <- [p \in Partitions |->
            LET sent == SelectSeq(Readable(p), LAMBDA e : e.batch # WarmBatch) IN [i \in DOMAIN sent |-> sent[i].batch]],
  outcome <- [p \in Partitions |-> [b \in Batches |->
                IF Undecided(sender[p], b) THEN "pending" ELSE Status(p, b)]]
Refines == Promise!Spec

\* A session ends with a new producer id, or with the leader's memory of the
\* old one; the promise ends with it.
OneSession == Idempotence /\ FaultKinds \cap {"RestartProducer", "ExpireProducerState"} = {}

THEOREM Spec => []TypeOK
THEOREM OneSession => ((Spec /\ [](producer.id = FirstProducerId)) => Refines)
=============================================================================
