---------------------------- MODULE ExternalSink ----------------------------
(***************************************************************************)
(* Exactly-once delivery into external storage.  The members of a consumer *)
(* group read a partition and write one output for each input into a       *)
(* database.  Kafka's transactions end at Kafka's border; beyond it the    *)
(* database keeps the promise: output and offset are written in one of its *)
(* transactions, which refuses members of an older generation and skips    *)
(* what has been written before.                                           *)
(***************************************************************************)
EXTENDS Integers, Sequences

CONSTANTS
  Members,         \* members of the group, numbered from 1
  Inputs,          \* the partition has the offsets 0..(Inputs - 1)
  MaxGeneration,   \* how often a member may join
  MaxConnections   \* connections to the database that a member may open in a generation

ASSUME Members \in Nat \ {0} /\ Inputs \in Nat /\ MaxGeneration \in Nat /\ MaxConnections \in Nat \ {0}

None == -1
Generations == 1..MaxGeneration
Connections == 1..MaxConnections

VARIABLES
  generation,  \* of the group; the partition is its newest member's, but older ones may not know
  member,      \* what each member knows
  fence,       \* database: the newest generation that has opened it
  stored,      \* database: the offset of the first input that is not done
  outputs,     \* database: rows [offset, generation], in the order in which they were inserted
  inFlight     \* transactions on their way to the database
vars == <<generation, member, fence, stored, outputs, inFlight>>

-----------------------------------------------------------------------------
(* RULES.  A sink is a choice of these; SinkVariants.tla has others.       *)

\* The transactions of a delivery, one after the other.  Each is one or more of
\*   "FENCE"   it is refused unless its generation is the fence
\*   "SKIP"    it does nothing if its input is below the stored offset
\*   "OUTPUT"  it writes the output
\*   "OFFSET"  it stores the offset of the next input
Delivery == <<{"FENCE", "SKIP", "OUTPUT", "OFFSET"}>>

\* Whether rows have the input's offset as a key, and a second row of a key
\* takes the place of the first.
HasKeys == FALSE

\* When a member may make its generation the fence.
MayFence(current, own) == own >= current

\* When a member may read the offset from which it goes on: the fence is its
\* own, so that no older member moves the offset afterwards.
MayRestore(m) == m.fenced

\* The connection was lost before the answer.  The transaction may have been
\* committed, or be so later, or never; the member delivers the input again.
AfterUnknown(m) == [m EXCEPT !.step = 1]

-----------------------------------------------------------------------------
(* MEMBERS                                                                 *)

\* A transaction was answered: on to the next of the delivery, or to the next
\* input.
Answered(m) == IF m.step < Len(Delivery) THEN [m EXCEPT !.step = @ + 1] ELSE [m EXCEPT !.step = 1, !.batch = None]

\* A process that is not in the group.  `batch` is the input in hand, `step`
\* the transaction of its delivery that comes next.
Down == [generation |-> 0, connection |-> 0, fenced |-> FALSE, position |-> None, batch |-> None, step |-> 1]

IsUp(m) == member[m] # Down
Awaits(m, transaction) == m.generation = transaction.generation /\ m.connection = transaction.connection
IsIdle(m) == \A transaction \in inFlight : ~Awaits(member[m], transaction)

\* A member joins the group, and takes the partition over from the last one
\* (ConsumerCoordinator.onJoinComplete).  Nobody tells the last one.
Join(m) ==
  /\ ~IsUp(m)
  /\ generation < MaxGeneration
  /\ generation' = generation + 1
  /\ member' = [member EXCEPT ![m] = [Down EXCEPT !.generation = generation + 1, !.connection = 1]]
  /\ UNCHANGED <<fence, stored, outputs, inFlight>>

\* It makes its generation the fence, or learns that a newer one has.
Fence(m) ==
  /\ IsUp(m) /\ ~member[m].fenced
  /\ IF MayFence(fence, member[m].generation)
     THEN fence' = member[m].generation /\ member' = [member EXCEPT ![m].fenced = TRUE]
     ELSE UNCHANGED fence /\ member' = [member EXCEPT ![m] = Down]
  /\ UNCHANGED <<generation, stored, outputs, inFlight>>

\* It reads from where to go on (KafkaConsumer.seek).
Restore(m) ==
  /\ IsUp(m) /\ member[m].position = None
  /\ MayRestore(member[m])
  /\ member' = [member EXCEPT ![m].position = stored]
  /\ UNCHANGED <<generation, fence, stored, outputs, inFlight>>

\* It takes the next input (KafkaConsumer.poll).
Poll(m) ==
  /\ member[m].fenced /\ member[m].batch = None
  /\ member[m].position \in 0..(Inputs - 1)
  /\ member' = [member EXCEPT ![m].batch = member[m].position, ![m].position = @ + 1]
  /\ UNCHANGED <<generation, fence, stored, outputs, inFlight>>

\* It sends the next transaction of the delivery, one at a time.
Submit(m) ==
  /\ member[m].batch # None
  /\ IsIdle(m)
  /\ inFlight' = inFlight \cup {[generation |-> member[m].generation, connection |-> member[m].connection,
                                 batch |-> member[m].batch, step |-> member[m].step]}
  /\ UNCHANGED <<generation, member, fence, stored, outputs>>

\* The connection is lost while the member waits for an answer.  The database
\* does not know, and may execute the transaction later, or never.
Disconnect(m) ==
  /\ ~IsIdle(m)
  /\ member[m].connection < MaxConnections
  /\ member' = [member EXCEPT ![m] = AfterUnknown([@ EXCEPT !.connection = @ + 1])]
  /\ UNCHANGED <<generation, fence, stored, outputs, inFlight>>

\* The process ends, wherever it is.
Crash(m) ==
  /\ IsUp(m)
  /\ member' = [member EXCEPT ![m] = Down]
  /\ UNCHANGED <<generation, fence, stored, outputs, inFlight>>

-----------------------------------------------------------------------------
(* DATABASE                                                                *)

RowsOf(offset) == {i \in DOMAIN outputs : outputs[i].offset = offset}

WithOutput(row) ==
  IF HasKeys /\ RowsOf(row.offset) # {}
  THEN [i \in DOMAIN outputs |-> IF outputs[i].offset = row.offset THEN row ELSE outputs[i]]
  ELSE Append(outputs, row)

\* A transaction is committed, or refused because of the fence.  Whoever
\* still waits for it is answered.  A refused member gives up.
Execute(g, c) ==
  \E transaction \in inFlight :
    LET parts == Delivery[transaction.step]
        isRefused == "FENCE" \in parts /\ transaction.generation # fence
        isSkipped == "SKIP" \in parts /\ transaction.batch < stored
        isEffective == ~isRefused /\ ~isSkipped
        row == [offset |-> transaction.batch, generation |-> transaction.generation]
    IN /\ transaction.generation = g /\ transaction.connection = c
       /\ inFlight' = inFlight \ {transaction}
       /\ outputs' = IF isEffective /\ "OUTPUT" \in parts THEN WithOutput(row) ELSE outputs
       /\ stored' = IF isEffective /\ "OFFSET" \in parts THEN transaction.batch + 1 ELSE stored
       /\ member' = [m \in DOMAIN member |->
                       IF ~Awaits(member[m], transaction) THEN member[m]
                       ELSE IF isRefused THEN Down ELSE Answered(member[m])]
       /\ UNCHANGED <<generation, fence>>

-----------------------------------------------------------------------------
Init ==
  /\ generation = 0 /\ member = [m \in 1..Members |-> Down]
  /\ fence = 0 /\ stored = 0 /\ outputs = <<>> /\ inFlight = {}

Next ==
  \/ \E m \in 1..Members : Join(m)
  \/ \E m \in 1..Members : Fence(m)
  \/ \E m \in 1..Members : Restore(m)
  \/ \E m \in 1..Members : Poll(m)
  \/ \E m \in 1..Members : Submit(m)
  \/ \E m \in 1..Members : Disconnect(m)
  \/ \E m \in 1..Members : Crash(m)
  \/ \E g \in Generations, c \in Connections : Execute(g, c)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* PROPERTIES *)

\* Every input before the stored offset has an output.
NoLoss == \A offset \in 0..(stored - 1) : RowsOf(offset) # {}

\* No input has two outputs.
NoDuplicate == \A i, j \in DOMAIN outputs : outputs[i].offset = outputs[j].offset => i = j

\* There are outputs of the inputs before the stored offset, and of no others.
OffsetsAgreeWithOutputs == \A offset \in 0..(Inputs - 1) : RowsOf(offset) # {} <=> offset < stored

\* Once a generation has opened the database, no older one writes outputs.
ZombieFenced ==
  [][\A i \in DOMAIN outputs' : outputs'[i].generation < fence => i \in DOMAIN outputs /\ outputs'[i] = outputs[i]]_vars

\* The fence never goes back to an older generation.
FenceMonotone == [][fence' >= fence]_vars

MemberType == [generation : 0..MaxGeneration, connection : 0..MaxConnections, fenced : BOOLEAN,
               position : {None} \cup 0..Inputs, batch : {None} \cup 0..(Inputs - 1), step : 1..Len(Delivery)]

TypeOK ==
  /\ generation \in 0..MaxGeneration /\ fence \in 0..generation
  /\ member \in [1..Members -> MemberType]
  /\ stored \in 0..Inputs
  /\ outputs \in Seq([offset : 0..(Inputs - 1), generation : Generations])
  /\ inFlight \subseteq [generation : Generations, connection : Connections,
                         batch : 0..(Inputs - 1), step : 1..Len(Delivery)]
=============================================================================
