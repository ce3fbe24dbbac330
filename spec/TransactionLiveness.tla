------------------------- MODULE TransactionLiveness -------------------------
(***************************************************************************)
(* What must happen in the end, if roles do their work and the application *)
(* ends what it began.  Faults never have to happen, nor need a copy that  *)
(* nobody waits for arrive.                                                *)
(*                                                                         *)
(* Every assumption is needed: with one of them `Dropped`, a property      *)
(* fails (models/transactions/unfair-*.cfg).                               *)
(***************************************************************************)
EXTENDS TransactionProperties

CONSTANT Dropped  \* the assumptions that are not made

Assumptions ==
  {"EndsTransactions", "HandleInitProducerId", "HandleAddPartitionsToTxn", "HandleEndTxn", "HandleProduce",
   "HandleVerification", "AppendVerified", "AppendOk", "CompleteTransaction", "TransactionTimeout", "HandleMarker", "Replicate"}
ASSUME Dropped \subseteq Assumptions

Assumed(name) == name \notin Dropped

Fairness ==
  /\ \A c \in ClientNumbers :
       \* The application commits or aborts what it began.
       /\ Assumed("EndsTransactions") => WF_vars(Commit(c) \/ Abort(c))
       \* A coordinator that has a request reads it.
       /\ Assumed("HandleInitProducerId") => WF_vars(HandleInitProducerId(c, Live))
       /\ Assumed("HandleAddPartitionsToTxn") => WF_vars(HandleAddPartitionsToTxn(c, Live))
       /\ Assumed("HandleEndTxn") => WF_vars(HandleEndTxn(c, Live))
       /\ \A p \in AllPartitions :
            \* A leader that has a batch reads it, verifies it and appends it.
            /\ Assumed("HandleProduce") => WF_vars(HandleProduce(c, p, Live))
            /\ Assumed("HandleVerification") => WF_vars(HandleVerification(c, p, Live))
            /\ Assumed("AppendVerified") => WF_vars(AppendVerified(c, p, Live))
  /\ \A t \in Ids :
       \* An append ends, and what is due is written.
       /\ Assumed("AppendOk") => WF_vars(AppendOk(t))
       /\ Assumed("CompleteTransaction") => WF_vars(CompleteTransaction(t))
       \* Time passes for a transaction that nobody works on.
       /\ Assumed("TransactionTimeout") => WF_vars(~HasOwner(t) /\ TransactionTimeout(t))
       \* A leader that has a marker reads it.
       /\ \A p \in AllPartitions : Assumed("HandleMarker") => WF_vars(HandleMarker(t, p, Live))
  \* Followers fetch.
  /\ \A p \in AllPartitions : Assumed("Replicate") => WF_vars(Replicate(p))

FairSpec == Spec /\ Fairness

\* A prepared transaction is completed.
PreparedCompletes == \A t \in Ids : IsPrepared(coordinator[t].metadata.state) ~> ~IsPrepared(coordinator[t].metadata.state)

\* A transaction that nobody works on is ended.
AbandonedAborts == \A t \in Ids :
  (coordinator[t].metadata.state = "Ongoing" /\ ~HasOwner(t)) ~> (coordinator[t].metadata.state # "Ongoing" \/ HasOwner(t))

\* In the end readers have everything.
LastStableOffsetReachesEnd == <>[](\A p \in AllPartitions : LastStableOffset(partition[p]) = Len(Log(p)))

\* Every call to a coordinator ends, and every batch is decided, unless the
\* producer is at its end.
CallsEnd == \A c \in ClientNumbers : Waiting(c) ~> ~Waiting(c)
IsUndecided(c, p) == client[c].state # "FATAL_ERROR" /\ client[c].batches[p] \in {"adding", "added", "inflight"}
BatchesEnd == \A c \in ClientNumbers, p \in AllPartitions : IsUndecided(c, p) ~> ~IsUndecided(c, p)

\* What was committed can be read in the end.
CommittedBecomesReadable == Promise!CommittedBecomesReadable
=============================================================================
