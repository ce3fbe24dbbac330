---- MODULE KAFKA_14884_flag ----
\* KAFKA-14884, the mend that was rejected.  That some batch of the producer id
\* is being verified says nothing of this one.
EXTENDS TransactionProperties

HasGuard_KAFKA_14884_flag(q, m) == m.producerId \in DOMAIN q.verification
====
