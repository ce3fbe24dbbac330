---- MODULE KAFKA_5268 ----
\* KAFKA-5268.  Partitions stay in the record of a completed transaction, and
\* whoever is in the record is not added again; either half alone is harmless.
EXTENDS TransactionProperties

IsRegistered_KAFKA_5268(d, p) == p \in d.partitions
PartitionsAfterCompletion_KAFKA_5268(partitions) == partitions
====
