---- MODULE KAFKA_14884 ----
\* KAFKA-14884.  Between the coordinator's agreement and the append a marker
\* may end the transaction; nothing is compared at the append.
EXTENDS TransactionProperties

HasGuard_KAFKA_14884(q, m) == TRUE
====
