---- MODULE KAFKA_5351 ----
\* KAFKA-5351.  After a failed append everything is a concurrent transaction.
EXTENDS TransactionProperties

PendingAfterFailedAppend_KAFKA_5351(pending) == pending
====
