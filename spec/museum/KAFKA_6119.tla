---- MODULE KAFKA_6119 ----
\* KAFKA-6119.  The coordinator aborts a transaction that takes too long, and
\* its producer, who does not know, adds to another under the same epoch.
EXTENDS TransactionProperties

TimeoutEpoch_KAFKA_6119(d) == d.epoch
====
