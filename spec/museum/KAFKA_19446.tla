---- MODULE KAFKA_19446 ----
\* KAFKA-19446.  Under version 2 the marker has the epoch of the next
\* transaction, and an equal epoch is enough.
EXTENDS TransactionProperties

AcceptsMarker_KAFKA_19446(known, open, m) == m.epoch >= known
====
