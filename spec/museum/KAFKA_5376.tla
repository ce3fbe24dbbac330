---- MODULE KAFKA_5376 ----
\* KAFKA-5376.  The path of the delayed fetch builds its answer without the list.
EXTENDS ReadCommitted

AbortedOfParked_KAFKA_5376(aborted) == <<>>
====
