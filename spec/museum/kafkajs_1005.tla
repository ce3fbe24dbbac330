---- MODULE kafkajs_1005 ----
\* kafkajs #1005, #598; platformatic/kafka #326.  The counter advances when
\* the answer comes, so two batches in flight are sent with the same sequence
\* and the leader takes the second for a copy of the first.
EXTENDS IdempotentProducer

SequenceAfterSend_kafkajs_1005(sequence, n) == sequence
SequenceAfterAcknowledgement_kafkajs_1005(sequence, n) == IncrementSequence(sequence, n)
====
