/** Every message, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import { AddOffsetsToTxn } from "./AddOffsetsToTxn.ts"
import { AddPartitionsToTxn } from "./AddPartitionsToTxn.ts"
import { ApiVersions } from "./ApiVersions.ts"
import { ConsumerGroupHeartbeat } from "./ConsumerGroupHeartbeat.ts"
import { CreateTopics } from "./CreateTopics.ts"
import { DeleteGroups } from "./DeleteGroups.ts"
import { DeleteRecords } from "./DeleteRecords.ts"
import { DeleteTopics } from "./DeleteTopics.ts"
import { DescribeProducers } from "./DescribeProducers.ts"
import { DescribeTransactions } from "./DescribeTransactions.ts"
import { EndTxn } from "./EndTxn.ts"
import { Fetch } from "./Fetch.ts"
import { FindCoordinator } from "./FindCoordinator.ts"
import { Heartbeat } from "./Heartbeat.ts"
import { InitProducerId } from "./InitProducerId.ts"
import { JoinGroup } from "./JoinGroup.ts"
import { LeaveGroup } from "./LeaveGroup.ts"
import { ListOffsets } from "./ListOffsets.ts"
import { ListTransactions } from "./ListTransactions.ts"
import { Metadata } from "./Metadata.ts"
import { OffsetCommit } from "./OffsetCommit.ts"
import { OffsetDelete } from "./OffsetDelete.ts"
import { OffsetFetch } from "./OffsetFetch.ts"
import { Produce } from "./Produce.ts"
import { RequestHeader } from "./RequestHeader.ts"
import { ResponseHeader } from "./ResponseHeader.ts"
import { SyncGroup } from "./SyncGroup.ts"
import { TxnOffsetCommit } from "./TxnOffsetCommit.ts"
import { UpdateFeatures } from "./UpdateFeatures.ts"
import { WriteTxnMarkers } from "./WriteTxnMarkers.ts"

export {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  ApiVersions,
  ConsumerGroupHeartbeat,
  CreateTopics,
  DeleteGroups,
  DeleteRecords,
  DeleteTopics,
  DescribeProducers,
  DescribeTransactions,
  EndTxn,
  Fetch,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  LeaveGroup,
  ListOffsets,
  ListTransactions,
  Metadata,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  Produce,
  RequestHeader,
  ResponseHeader,
  SyncGroup,
  TxnOffsetCommit,
  UpdateFeatures,
  WriteTxnMarkers
}

/** In the order of their keys. */
export const apis = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  EndTxn,
  WriteTxnMarkers,
  TxnOffsetCommit,
  DeleteGroups,
  OffsetDelete,
  UpdateFeatures,
  DescribeProducers,
  DescribeTransactions,
  ListTransactions,
  ConsumerGroupHeartbeat
] as const
