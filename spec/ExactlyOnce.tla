----------------------------- MODULE ExactlyOnce -----------------------------
(***************************************************************************)
(* What a user is promised, per partition and producer session: every      *)
(* acknowledged record can be read, once, in the order in which it was     *)
(* sent, and stays readable.  Nothing here knows about sequence numbers,   *)
(* leaders or retries; IdempotentProducer.tla implements it under its      *)
(* base rules while a session lasts (the theorem at its end).              *)
(*                                                                         *)
(* A record is named by its place in the order of sending.  A failure is   *)
(* an answer, not a promise: the record may be readable all the same, but  *)
(* never behind a later one.                                               *)
(***************************************************************************)
EXTENDS Naturals, Sequences

CONSTANTS
  Partitions,  \* names of the topic partitions
  Records      \* 1..n: what the application sends to each, in this order

VARIABLES
  log,     \* per partition: what consumers can read
  outcome  \* per partition and record: "pending", "acked" or "failed"
vars == <<log, outcome>>

Readable(p, r) == \E i \in DOMAIN log[p] : log[p][i] = r

TypeOK ==
  /\ log \in [Partitions -> Seq(Records)]
  /\ outcome \in [Partitions -> [Records -> {"pending", "acked", "failed"}]]

Init ==
  /\ log = [p \in Partitions |-> <<>>]
  /\ outcome = [p \in Partitions |-> [r \in Records |-> "pending"]]

\* A record becomes readable: for the first time, behind nothing later, and
\* with nothing earlier still missing that has not been given up.
MakeReadable(p, r) ==
  /\ ~Readable(p, r)
  /\ \A later \in Records : later > r => ~Readable(p, later)
  /\ \A earlier \in Records : earlier < r => Readable(p, earlier) \/ outcome[p][earlier] = "failed"
  /\ log' = [log EXCEPT ![p] = Append(@, r)]
  /\ UNCHANGED outcome

\* The application is told of success; only of what can be read.
Acknowledge(p, r) ==
  /\ outcome[p][r] = "pending"
  /\ Readable(p, r)
  /\ outcome' = [outcome EXCEPT ![p][r] = "acked"]
  /\ UNCHANGED log

\* The application is told that the record was given up.
Fail(p, r) ==
  /\ outcome[p][r] = "pending"
  /\ outcome' = [outcome EXCEPT ![p][r] = "failed"]
  /\ UNCHANGED log

Next == \E p \in Partitions, r \in Records : MakeReadable(p, r) \/ Acknowledge(p, r) \/ Fail(p, r)

Spec == Init /\ [][Next]_vars
=============================================================================
