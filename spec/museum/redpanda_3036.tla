---- MODULE redpanda_3036 ----
\* Redpanda #3036, tansu 321a304.  Open transactions do not hold readers back.
EXTENDS TransactionProperties

LastStableOffset_redpanda_3036(q) == q.highWatermark
====
