---- MODULE franz_go_1217 ----
\* franz-go #1217.  A request that timed out on the broker counts as not
\* written, and the next batch is sent with its sequence.
EXTENDS IdempotentProducer

IsRetriable_franz_go_1217(error) ==
  error \in {"NETWORK_EXCEPTION", "NOT_LEADER_OR_FOLLOWER", "KAFKA_STORAGE_ERROR", "OUT_OF_ORDER_SEQUENCE_NUMBER"}
AfterFailure_franz_go_1217(s, b) == [s EXCEPT !.nextSequence = s.batches[b].sequence]
====
