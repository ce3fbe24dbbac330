---- MODULE librdkafka_3369 ----
\* librdkafka #3369.  An abort marker without records before it takes the
\* producer's next aborted transaction off the list.
EXTENDS ReadCommitted

AfterMarker_librdkafka_3369(queue, dropping, entry) ==
  [queue |-> IF entry.kind = "ABORT" THEN SelectSeq(queue, LAMBDA aborted : aborted.producerId # entry.producerId) ELSE queue,
   dropping |-> IF entry.kind = "ABORT" THEN dropping \ {entry.producerId} ELSE dropping]
====
