---- MODULE KAFKA_5231 ----
\* KAFKA-5231.  The transaction of the older instance is aborted with the epoch
\* that it has, so partitions do not learn of the newer one.
EXTENDS TransactionProperties

FenceEpoch_KAFKA_5231(d) == d.epoch
====
