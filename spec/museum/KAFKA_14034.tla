---- MODULE KAFKA_14034 ----
\* KAFKA-14034.  The epoch is raised while batches that may be in the log
\* are undecided; they get a new identity and are written again.
EXTENDS IdempotentProducer

MayBumpEpoch_KAFKA_14034(s) == TRUE
====
