---- MODULE KAFKA_15591 ----
\* KAFKA-15591, KAFKA-14312.  A producer id without state may begin anywhere,
\* so a later batch is taken while the first is still to come.
EXTENDS IdempotentProducer

IsFirstSequence_KAFKA_15591(sequence) == TRUE
====
