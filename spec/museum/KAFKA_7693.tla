---- MODULE KAFKA_7693 ----
\* KAFKA-7693; also franz-go 1.5.3.  The producer adds without the wrap to 0:
\* 32-bit addition goes negative.
EXTENDS IdempotentProducer

SequenceAfterSend_KAFKA_7693(sequence, n) ==
  IF sequence > MaxSequence - n THEN (sequence - MaxSequence - 1) + (n - MaxSequence - 1) ELSE sequence + n
====
