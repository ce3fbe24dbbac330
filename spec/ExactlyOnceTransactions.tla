----------------------- MODULE ExactlyOnceTransactions -----------------------
(***************************************************************************)
(* What a user of transactions is promised: each transaction is decided    *)
(* once; what it wrote, on whichever partition, can be read if and only if *)
(* it was committed, and then stays readable; and the application is told  *)
(* nothing else than what was decided.  Nothing here knows about epochs,   *)
(* coordinators or markers; Transactions.tla implements it.                *)
(*                                                                         *)
(* ExactlyOnce.tla is the promise for a single partition.                  *)
(***************************************************************************)
CONSTANTS
  Partitions,   \* names of the topic partitions
  Transactions  \* names of the transactions

VARIABLES
  wrote,     \* per transaction: the partitions it has records for
  decision,  \* per transaction: "OPEN", "COMMIT" or "ABORT"
  readable,  \* per partition: the transactions whose records can be read
  outcome    \* per transaction: what the application was told, "none", "committed" or "aborted"
vars == <<wrote, decision, readable, outcome>>

TypeOK ==
  /\ wrote \in [Transactions -> SUBSET Partitions]
  /\ decision \in [Transactions -> {"OPEN", "COMMIT", "ABORT"}]
  /\ readable \in [Partitions -> SUBSET Transactions]
  /\ outcome \in [Transactions -> {"none", "committed", "aborted"}]

Init ==
  /\ wrote = [t \in Transactions |-> {}]
  /\ decision = [t \in Transactions |-> "OPEN"]
  /\ readable = [p \in Partitions |-> {}]
  /\ outcome = [t \in Transactions |-> "none"]

\* Each of these may happen in any step, alone or with others: a marker that
\* is replicated may make several transactions readable.
Writes(t) == wrote[t] \subseteq wrote'[t] /\ (wrote'[t] = wrote[t] \/ decision[t] # "COMMIT")
Decides(t) == decision'[t] = decision[t] \/ decision[t] = "OPEN"
Shows(p) == readable[p] \subseteq readable'[p] /\ \A t \in readable'[p] : decision'[t] = "COMMIT" /\ p \in wrote'[t]
Tells(t) ==
  \/ outcome'[t] = outcome[t]
  \/ outcome[t] = "none" /\ outcome'[t] = "committed" /\ decision'[t] = "COMMIT"
  \/ outcome[t] = "none" /\ outcome'[t] = "aborted" /\ decision'[t] = "ABORT"

Next ==
  /\ \A t \in Transactions : Writes(t) /\ Decides(t) /\ Tells(t)
  /\ \A p \in Partitions : Shows(p)

Spec == Init /\ [][Next]_vars

\* What was committed can be read in the end.
CommittedBecomesReadable == \A t \in Transactions, p \in Partitions :
  (decision[t] = "COMMIT" /\ p \in wrote[t]) ~> t \in readable[p]
=============================================================================
