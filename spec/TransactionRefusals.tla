------------------------- MODULE TransactionRefusals -------------------------
(***************************************************************************)
(* Every request in every state: what Transactions.tla itself would never  *)
(* send is put to the coordinator and to the leaders too, and each refusal *)
(* is a step of its own that changes nothing and names the error.  So the  *)
(* graph of this module says of each state what is refused there, and how. *)
(***************************************************************************)
EXTENDS TransactionProperties

CONSTANTS
  ProbeProducerIds,  \* the producer ids that requests are tried with
  ProbeEpochs,       \* the epochs
  ProbeSequences     \* the sequences of batches

CoordinatorErrors ==
  {"INVALID_PRODUCER_ID_MAPPING", "PRODUCER_FENCED", "CONCURRENT_TRANSACTIONS", "INVALID_TXN_STATE", "TRANSACTION_ABORTABLE",
   "UNKNOWN_SERVER_ERROR"}
LeaderErrors ==
  {"INVALID_PRODUCER_EPOCH", "INVALID_TXN_STATE", "OUT_OF_ORDER_SEQUENCE_NUMBER", "ILLEGAL_GENERATION",
   "TRANSACTION_COORDINATOR_FENCED"}

Probe(i, e, p, result, version) ==
  [producerId |-> i, epoch |-> e, partition |-> p, result |-> result, version |-> version, transaction |-> NoTransaction]

RefuseInitProducerId(t, i, e, error) ==
  LET d == coordinator[t].metadata
      known == IF d.state = "Unknown" THEN Created(nextProducerId) ELSE d
  IN /\ InitProducerId(known, coordinator[t].pending, Probe(i, e, "", "", 1), nextProducerId).error = error
     /\ UNCHANGED vars

RefuseAddPartitionsToTxn(t, i, e, p, error) ==
  /\ AddPartitions(coordinator[t].metadata, coordinator[t].pending, Probe(i, e, p, "", 1)).error = error
  /\ UNCHANGED vars

RefuseVerification(t, i, e, p, error) ==
  /\ VerifyPartition(coordinator[t].metadata, Probe(i, e, p, "", 1)).error = error
  /\ UNCHANGED vars

RefuseEndTxn(t, i, e, result, version, error) ==
  /\ EndTxn(coordinator[t].metadata, coordinator[t].pending, Probe(i, e, "", result, version), nextProducerId).error = error
  /\ UNCHANGED vars

\* A batch that was verified, but in no transaction of this moment.
RefuseBatch(p, i, e, s, error) ==
  /\ Validate(partition[p],
       [producerId |-> i, epoch |-> e, sequence |-> s, version |-> 1, guard |-> FALSE, generation |-> None], TRUE, generation) = error
  /\ UNCHANGED vars

\* The same for offsets, with a generation of the group.
RefuseOffsets(i, e, g, error) ==
  /\ Group
  /\ Validate(partition[GroupPartition],
       [producerId |-> i, epoch |-> e, sequence |-> None, version |-> 1, guard |-> FALSE, generation |-> g], TRUE, generation) = error
  /\ UNCHANGED vars

RefuseMarker(p, i, e, coordinatorEpoch, version, error) ==
  /\ ValidateMarker(partition[p],
       [producerId |-> i, epoch |-> e, coordinatorEpoch |-> coordinatorEpoch, version |-> version]) = error
  /\ UNCHANGED vars

Refusals ==
  \/ \E t \in Ids, error \in CoordinatorErrors : RefuseInitProducerId(t, None, None, error)
  \/ \E t \in Ids, i \in ProbeProducerIds, e \in ProbeEpochs, error \in CoordinatorErrors :
       RefuseInitProducerId(t, i, e, error)
  \/ \E t \in Ids, i \in ProbeProducerIds, e \in ProbeEpochs, p \in AllPartitions, error \in CoordinatorErrors :
       RefuseAddPartitionsToTxn(t, i, e, p, error)
  \/ \E t \in Ids, i \in ProbeProducerIds, e \in ProbeEpochs, p \in AllPartitions, error \in CoordinatorErrors :
       RefuseVerification(t, i, e, p, error)
  \/ \E t \in Ids, i \in ProbeProducerIds, e \in ProbeEpochs, result \in {"COMMIT", "ABORT"}, version \in {1, 2},
        error \in CoordinatorErrors : RefuseEndTxn(t, i, e, result, version, error)
  \/ \E p \in Partitions, i \in ProbeProducerIds, e \in ProbeEpochs, s \in ProbeSequences, error \in LeaderErrors :
       RefuseBatch(p, i, e, s, error)
  \/ \E i \in ProbeProducerIds, e \in ProbeEpochs, g \in {0, 1}, error \in LeaderErrors :
       RefuseOffsets(i, e, g, error)
  \/ \E p \in AllPartitions, i \in ProbeProducerIds, e \in ProbeEpochs, version \in {1, 2}, error \in LeaderErrors :
       RefuseMarker(p, i, e, 0, version, error)

RefusingSpec == Init /\ [][Next \/ Refusals]_vars
=============================================================================
