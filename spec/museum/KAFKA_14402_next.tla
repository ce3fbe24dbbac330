---- MODULE KAFKA_14402_next ----
\* KAFKA-14402, second scenario.  A client without KIP-360 goes on with the
\* same epoch after an abort, so verification takes its late batch for one of
\* the next transaction.
EXTENDS TransactionProperties

BumpsEpochAfterAbort_KAFKA_14402_next(wanted, version) == FALSE
====
