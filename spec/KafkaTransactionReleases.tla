----------------------- MODULE KafkaTransactionReleases -----------------------
(***************************************************************************)
(* Where releases of Apache Kafka differ from the base rules of            *)
(* transactions.  A release is a set of these overrides with the values of *)
(* TransactionVersion and Verification that it has by default:             *)
(* models/releases/*.cfg.                                                  *)
(***************************************************************************)
EXTENDS TransactionProperties

\* Up to 4.0 a producer id without state may begin with any sequence, since
\* then only outside of version 2 (KAFKA-18202).
IsFirstSequence_Kafka_4_0(sequence, version) == TRUE
IsFirstSequence_Kafka(sequence, version) == version = 1 \/ sequence = 0

\* Up to 4.1 every marker with the leader's epoch is taken (KIP-1228).
AcceptsMarker_Kafka_4_1(known, open, m) == m.epoch >= known

\* Up to 4.2 the log does not keep the previous and the next producer id
\* (KAFKA-20310), and a fence does not end a producer id (KAFKA-20090).
Persisted_Kafka_4_2(d) ==
  [d EXCEPT !.lastEpoch = None, !.failedEpochFence = FALSE, !.previousProducerId = None, !.nextProducerId = None]
RotatesWhenFenced_Kafka_4_2(epoch) == FALSE

\* 4.0 verifies before it looks at the epoch (KAFKA-18042), and when it
\* appends asks for the guard first (KAFKA-19690).
IsStaleOnArrival_Kafka_4_0(known, epoch) == FALSE
AsksEpochFirst_Kafka_4_0 == FALSE

\* Up to 3.9 the coordinator asks who it is before it looks at a pending
\* transition, and a batch joins any open transaction of its producer id.
AsksPendingFirst_Kafka_3_9 == FALSE
JoinsOpenTransaction_Kafka_3_9(producers, producerId, epoch) ==
  producerId \in DOMAIN producers /\ producers[producerId].firstOffset # None

\* What the client's configuration chooses, not a release: isolation.level
\* read_uncommitted, and offsets that are committed outside of transactions.
LastStableOffset_ReadUncommitted(q) == q.highWatermark
IsFiltered_ReadUncommitted(fate) == FALSE
OffsetsInTransaction_Outside == FALSE
=============================================================================
