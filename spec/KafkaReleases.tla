---------------------------- MODULE KafkaReleases ----------------------------
(***************************************************************************)
(* Where Apache Kafka's own rules fall short of the base.  For the         *)
(* idempotent producer the releases from 2.5 to 4.4 differ from the base   *)
(* in the same five rules; models/kafka-wrap.cfg and the configurations    *)
(* models/guarantees/kafka-*.cfg override them.  Older clients also raise  *)
(* the epoch on a late refusal of an expired batch; that is not modelled.  *)
(***************************************************************************)
EXTENDS IdempotentProducer

\* KIP-360, TransactionManager.bumpIdempotentEpochAndResetIdIfNeeded: the
\* epoch is raised at once, and batches that may be in the log are renamed.
MayBumpEpoch_Kafka(s) == TRUE

\* ProducerAppendInfo.checkSequence: a producer id without state may begin
\* with any sequence.
IsFirstSequence_Kafka(sequence) == TRUE

\* ProducerStateManager.writeSnapshot keeps the last batch of each producer.
RestoreProducers_Kafka(producers) ==
  [i \in DOMAIN producers |->
     [producers[i] EXCEPT !.batches = IF @ = <<>> THEN <<>> ELSE <<@[Len(@)]>>]]

\* TxnPartitionEntry orders and compares sequences as plain integers; only
\* the generation of the next one wraps.
SequencePrecedes_Kafka(a, b) == a < b
IsNextSequence_Kafka(sequence, lastAcked) == sequence - lastAcked = 1
=============================================================================
