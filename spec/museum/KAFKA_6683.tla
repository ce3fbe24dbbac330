---- MODULE KAFKA_6683 ----
\* KAFKA-6683.  Producer state is changed before the append is known to have
\* succeeded; the retry of a batch that was never written looks like a copy.
EXTENDS IdempotentProducer

ProducersAfterFailedAppend_KAFKA_6683(producers, entry) == AppendProducer(producers, entry)
====
