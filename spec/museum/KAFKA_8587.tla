---- MODULE KAFKA_8587 ----
\* KAFKA-8587.  OffsetFetch does not wait for the transactions that are under
\* way, as before KIP-447.
EXTENDS TransactionProperties

IsUnstable_KAFKA_8587(q) == FALSE
====
