---- MODULE AutoMQ_754 ----
\* AutoMQ #754, KAFKA-17801.  A transaction that began before the fetched range
\* is not listed.
EXTENDS ReadCommitted

IsAbortedIn_AutoMQ_754(aborted, from, upper) == aborted.first >= from /\ aborted.first < upper
====
