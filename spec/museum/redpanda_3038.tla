---- MODULE redpanda_3038 ----
\* Redpanda #3038.  The leader remembers fewer batches than may be in flight,
\* and calls a copy out of order; a client that then raises its epoch writes
\* everything again.  Needs the client rule of KAFKA-14034: without it the
\* short memory does no harm.
EXTENDS IdempotentProducer

RememberedBatches_redpanda_3038(batches) == <<batches[Len(batches)]>>
MayBumpEpoch_KAFKA_14034(s) == TRUE
====
