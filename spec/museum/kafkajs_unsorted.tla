---- MODULE kafkajs_unsorted ----
\* kafkajs 2.2.4, franz-go b9b50cce.  The list comes in the order of markers; a
\* transaction that encloses another stands behind it.
EXTENDS ReadCommitted

ByFirstOffset_kafkajs_unsorted(aborted) == aborted
====
