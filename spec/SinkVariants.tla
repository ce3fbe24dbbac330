---------------------------- MODULE SinkVariants ----------------------------
(***************************************************************************)
(* Other sinks than the transactional one, and sinks that leave out a part *)
(* of it.  An offset that is kept in Kafka is one that has a transaction   *)
(* of its own: OffsetCommit refuses older generations as "FENCE" does.     *)
(***************************************************************************)
EXTENDS ExternalSink

\* The output is inserted or replaced under the key of its input, and the
\* offset committed behind it.
Delivery_Upsert == <<{"OUTPUT"}, {"FENCE", "OFFSET"}>>
HasKeys_Upsert == TRUE

\* Naive sinks: output and offset one after the other.
Delivery_OutputFirst == <<{"OUTPUT"}, {"FENCE", "OFFSET"}>>
Delivery_OffsetFirst == <<{"FENCE", "OFFSET"}, {"OUTPUT"}>>

\* One transaction that trusts whoever sends it.
Delivery_Unfenced == <<{"OUTPUT", "OFFSET"}>>

\* One half of what the transactional sink checks.
Delivery_FenceOnly == <<{"FENCE", "OUTPUT", "OFFSET"}>>
Delivery_SkipOnly == <<{"SKIP", "OUTPUT", "OFFSET"}>>

\* The fence is looked at before the transaction, not in it.
Delivery_FenceApart == <<{"FENCE"}, {"SKIP", "OUTPUT", "OFFSET"}>>

\* Whoever opens the database last is the newest.
MayFence_LastWins(current, own) == TRUE

\* The offset is read first, and the fence raised then.
MayRestore_BeforeFence(m) == TRUE

\* A lost answer counts as a commit.
AfterUnknown_Committed(m) == Answered(m)

\* A member that does not know reads the offset again.
AfterUnknown_Reread(m) == [m EXCEPT !.step = 1, !.batch = None, !.position = None]
=============================================================================
