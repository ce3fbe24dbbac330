---- MODULE KAFKA_10080 ----
\* KAFKA-10080.  Two acknowledgements at once both find no marker missing, and
\* the second completion is written over whatever the transaction is by then.
EXTENDS TransactionProperties

Completions_KAFKA_10080(partitions) == IF Cardinality(partitions) > 1 THEN 2 ELSE 1
MayComplete_KAFKA_10080(state) == TRUE
====
