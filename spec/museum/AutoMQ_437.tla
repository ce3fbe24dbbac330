---- MODULE AutoMQ_437 ----
\* AutoMQ #437; compare KAFKA-9892.  The snapshot that a restarted broker
\* loads has nothing of the newest batches, so their copies are new to it.
EXTENDS IdempotentProducer

RestoreProducers_AutoMQ_437(producers) == NoProducers
====
