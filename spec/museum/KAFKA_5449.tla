---- MODULE KAFKA_5449 ----
\* KAFKA-5449.  EndTxn does not wait for batches in flight.
EXTENDS TransactionProperties

MayCommit_KAFKA_5449(batches) == {p \in DOMAIN batches : batches[p] = "acked"} # {}
====
