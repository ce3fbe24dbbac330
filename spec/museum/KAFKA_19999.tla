---- MODULE KAFKA_19999 ----
\* KAFKA-19999.  Under version 2 an equal epoch is never enough, not for the
\* same marker either.
EXTENDS TransactionProperties

AcceptsMarker_KAFKA_19999(known, open, m) == IF m.version = 2 THEN m.epoch > known ELSE m.epoch >= known
====
