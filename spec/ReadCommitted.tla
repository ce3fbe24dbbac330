---------------------------- MODULE ReadCommitted ----------------------------
(***************************************************************************)
(* How a read_committed consumer is kept from aborted records: the broker  *)
(* returns what lies below the last stable offset, aborted records         *)
(* included, and a list of the aborted transactions that overlap it; the   *)
(* consumer filters.  One partition, one consumer, several producers; who  *)
(* decides transactions does not matter here, Transactions.tla has that.   *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Producers,   \* producer ids, numbered from 1
  MaxEntries,  \* the log ends here
  FetchSize    \* entries that one fetch returns at most

ASSUME Producers \in Nat \ {0} /\ MaxEntries \in Nat /\ FetchSize \in Nat \ {0}

ProducerIds == 1..Producers
None == -1

VARIABLES
  log,           \* entries [kind, producerId]; the entry at index i has offset i - 1
  abortedIndex,  \* the broker's index of aborted transactions, in the order of their markers
  parked,        \* the offset from which a fetch waits for data, or None
  position,      \* the offset that the consumer fetches next
  delivered      \* GHOST: the offsets of the records given to the application, in order
vars == <<log, abortedIndex, parked, position, delivered>>

IsMarker(entry) == entry.kind # "DATA"
First(offsets) == CHOOSE o \in offsets : \A other \in offsets : o <= other
MarkersAfter(offset) ==
  {o \in (offset + 1)..(Len(log) - 1) : IsMarker(log[o + 1]) /\ log[o + 1].producerId = log[offset + 1].producerId}
OpenOffsets(i) == {o \in 0..(Len(log) - 1) :
  log[o + 1] = [kind |-> "DATA", producerId |-> i] /\ MarkersAfter(o) = {}}
AllOpenOffsets == UNION {OpenOffsets(i) : i \in ProducerIds}
LastStableOffset == IF AllOpenOffsets = {} THEN Len(log) ELSE First(AllOpenOffsets)

-----------------------------------------------------------------------------
(* RULES.  Each of these has been wrong in some broker or client.          *)

\* The aborted transactions that overlap offsets from..(upper - 1)
\* (TransactionIndex.collectAbortedTxns).
IsAbortedIn(aborted, from, upper) == aborted.last >= from /\ aborted.first < upper

\* The list that a fetch which had to wait for data carries.
AbortedOfParked(aborted) == aborted

\* In which order the consumer looks at the list, which comes in the order
\* of markers.
RECURSIVE ByFirstOffset(_)
ByFirstOffset(aborted) ==
  IF aborted = <<>> THEN <<>>
  ELSE LET i == CHOOSE i \in DOMAIN aborted : \A j \in DOMAIN aborted : aborted[i].first <= aborted[j].first
       IN <<aborted[i]>> \o ByFirstOffset(SubSeq(aborted, 1, i - 1) \o SubSeq(aborted, i + 1, Len(aborted)))

\* What a marker does to the transactions that the consumer still has to
\* drop (`queue`) and is dropping (`dropping`).
AfterMarker(queue, dropping, entry) ==
  [queue |-> queue, dropping |-> IF entry.kind = "ABORT" THEN dropping \ {entry.producerId} ELSE dropping]

-----------------------------------------------------------------------------
(* CONSUMER (CompletedFetch.nextFetchedRecord)                             *)

\* Transactions that begin at or before an offset are being dropped there.
RECURSIVE Activated(_, _, _)
Activated(queue, dropping, offset) ==
  IF queue = <<>> \/ Head(queue).first > offset THEN [queue |-> queue, dropping |-> dropping]
  ELSE Activated(Tail(queue), dropping \cup {Head(queue).producerId}, offset)

RECURSIVE Filtered(_, _, _, _)
Filtered(queue, dropping, from, upper) ==
  IF from >= upper THEN <<>>
  ELSE LET entry == log[from + 1]
           now == Activated(queue, dropping, from)
           after == IF IsMarker(entry) THEN AfterMarker(now.queue, now.dropping, entry) ELSE now
           isKept == ~IsMarker(entry) /\ entry.producerId \notin now.dropping
       IN (IF isKept THEN <<from>> ELSE <<>>) \o Filtered(after.queue, after.dropping, from + 1, upper)

\* The consumer gets offsets from..(upper - 1) with a list of aborted
\* transactions, and gives the rest to the application.
Receive(from, upper, aborted) ==
  /\ delivered' = delivered \o Filtered(ByFirstOffset(aborted), {}, from, upper)
  /\ position' = upper

-----------------------------------------------------------------------------
Init == log = <<>> /\ abortedIndex = <<>> /\ parked = None /\ position = 0 /\ delivered = <<>>

\* A producer writes a record in its transaction.
WriteRecord(i) ==
  /\ Len(log) < MaxEntries
  /\ log' = Append(log, [kind |-> "DATA", producerId |-> i])
  /\ UNCHANGED <<abortedIndex, parked, position, delivered>>

\* The coordinator ends the transaction, also one without records here.
WriteMarker(i, result) ==
  /\ Len(log) < MaxEntries
  /\ log' = Append(log, [kind |-> result, producerId |-> i])
  /\ abortedIndex' = IF result = "COMMIT" \/ OpenOffsets(i) = {} THEN abortedIndex
                     ELSE Append(abortedIndex, [producerId |-> i, first |-> First(OpenOffsets(i)), last |-> Len(log)])
  /\ UNCHANGED <<parked, position, delivered>>

Aborted(from, upper) == SelectSeq(abortedIndex, LAMBDA a : IsAbortedIn(a, from, upper))

\* A fetch returns some of what is below the last stable offset.
FetchRecords(n) ==
  /\ parked = None
  /\ n \in 1..FetchSize
  /\ position + n <= LastStableOffset
  /\ Receive(position, position + n, Aborted(position, position + n))
  /\ UNCHANGED <<log, abortedIndex, parked>>

\* With nothing to return the fetch waits (fetch.min.bytes, DelayedFetch).
ParkFetch ==
  /\ parked = None
  /\ position = LastStableOffset
  /\ parked' = position
  /\ UNCHANGED <<log, abortedIndex, position, delivered>>

\* There is data now, and the waiting fetch returns it.
CompleteFetch(n) ==
  /\ parked # None
  /\ n \in 1..FetchSize
  /\ parked + n <= LastStableOffset
  /\ Receive(parked, parked + n, AbortedOfParked(Aborted(parked, parked + n)))
  /\ parked' = None
  /\ UNCHANGED <<log, abortedIndex>>

Next ==
  \/ \E i \in ProducerIds : WriteRecord(i)
  \/ \E i \in ProducerIds, result \in {"COMMIT", "ABORT"} : WriteMarker(i, result)
  \/ \E n \in 1..FetchSize : FetchRecords(n)
  \/ ParkFetch
  \/ \E n \in 1..FetchSize : CompleteFetch(n)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* PROPERTIES *)

Fate(offset) == IF MarkersAfter(offset) = {} THEN "OPEN" ELSE log[First(MarkersAfter(offset)) + 1].kind
IsDelivered(offset) == \E i \in DOMAIN delivered : delivered[i] = offset

\* The application gets no record of an aborted transaction.
NoAbortedRead == \A i \in DOMAIN delivered : Fate(delivered[i]) # "ABORT"

\* The application gets no record before its transaction is decided.
NoUncommittedRead == \A i \in DOMAIN delivered : Fate(delivered[i]) # "OPEN"

\* Every committed record before the position has been given to the application.
NoLoss == \A o \in 0..(position - 1) : ~IsMarker(log[o + 1]) /\ Fate(o) = "COMMIT" => IsDelivered(o)

\* The application gets records once, in the order of the log.
InOrder == \A i, j \in DOMAIN delivered : i < j => delivered[i] < delivered[j]

TypeOK ==
  /\ log \in Seq([kind : {"DATA", "COMMIT", "ABORT"}, producerId : ProducerIds]) /\ Len(log) <= MaxEntries
  /\ abortedIndex \in Seq([producerId : ProducerIds, first : Nat, last : Nat])
  /\ parked \in {None} \cup 0..MaxEntries
  /\ position \in 0..Len(log)
  /\ delivered \in Seq(0..MaxEntries)
=============================================================================
