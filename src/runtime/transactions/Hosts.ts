/**
 * All roles of a transactional cluster on their hosts, with the network between, and the actions of the specification as
 * what can be done to them.
 *
 * Nothing happens here until it is told. An action is one turn of one role, and the turns of those who are answered by it;
 * when its effect ends, all of this has happened. Two actions must not overlap.
 */
import { Effect, type Layer, type Scope } from "effect"
import {
  type Errors,
  Transaction,
  type TransactionalPartition,
  type TransactionalProducer,
  type TransactionCoordinator,
  type TransactionMetadata
} from "../../core/index.ts"
import type { Action, Refusal } from "./Action.ts"
import type { Memories } from "./Application.ts"
import * as Application from "./Application.ts"
import * as ClientHost from "./ClientHost.ts"
import * as CoordinatorHost from "./CoordinatorHost.ts"
import type { Name, Observation } from "./Events.ts"
import * as Group from "./Group.ts"
import * as LeaderHost from "./LeaderHost.ts"
import type { SentMarker, SentProduce, SentRequest } from "./Messages.ts"
import * as Network from "./Network.ts"
import * as Probe from "./Probe.ts"
import * as ProducerIds from "./ProducerIds.ts"
import type { Setup } from "./Setup.ts"
import type { TransactionLog } from "./TransactionLog.ts"

export interface Options extends Setup {
  /** Where coordinators keep what must outlive them. The layer is built for every coordinator that takes over. */
  readonly log: Layer.Layer<TransactionLog>
  /** Hears what clients see. */
  readonly observed?: (observation: Observation) => void
}

/** The state of the whole cluster; the variables of the specification but for the budget of faults. */
export interface Snapshot {
  /** By number of the client, less 1. */
  readonly clients: ReadonlyArray<TransactionalProducer.Producer>
  readonly requests: ReadonlyArray<SentRequest>
  readonly produces: ReadonlyArray<SentProduce>
  /** By number of the transactional id, less 1. */
  readonly coordinators: ReadonlyArray<TransactionCoordinator.Coordinator>
  /** The last records in the log, by number of the transactional id, less 1. */
  readonly transactionStates: ReadonlyArray<TransactionMetadata.Metadata>
  readonly markers: ReadonlyArray<SentMarker>
  /** In the order of the names in the setup. */
  readonly partitions: ReadonlyArray<TransactionalPartition.Partition>
  readonly nextProducerId: number
  /** The generation of the consumer group. */
  readonly generation: number
  /** What the application remembers, by number of the client, less 1, and of its transaction, less 1. */
  readonly history: ReadonlyArray<Memories>
}

export interface Hosts {
  readonly network: Network.Network["Service"]
  /** Performs an action; `false` when it is not possible, and then nothing has happened. `fault` numbers what is left. */
  readonly perform: (action: Action, fault: number) => Effect.Effect<boolean>
  readonly snapshot: Effect.Effect<Snapshot>
  readonly client: (client: number) => ClientHost.State
  readonly coordinator: (id: number) => TransactionCoordinator.Coordinator
  readonly partition: (partition: string) => TransactionalPartition.Partition
  readonly group: Group.Group
  /** The next producer id that nobody has. */
  readonly freeProducerId: () => number
  /** The record that the transaction has for the partition. */
  readonly recordOf: (transaction: Name, partition: string) => number
}

/** Numbers of records, given when they are first asked for. */
const makeRecords = (): Hosts["recordOf"] => {
  const records = new Map<string, number>()
  return ({ client, number }, partition) => {
    const key = `${client}/${number}/${partition}`
    let record = records.get(key)
    if (record === undefined) records.set(key, record = records.size + 1)
    return record
  }
}

/** Starts all hosts in their initial state; they end with the scope. */
export const make = Effect.fnUntraced(function*(
  { log, observed = () => {}, ...setup }: Options
): Effect.fn.Return<Hosts, never, Scope.Scope> {
  const network = Network.make(setup)
  const connected = Effect.provideService(Network.Network, network)
  const ids = ProducerIds.make()
  const recordOf = makeRecords()
  const leaders = new Map<string, LeaderHost.LeaderHost>()
  const leader = (partition: string): LeaderHost.LeaderHost => leaders.get(partition)!
  const group = Group.make({ context: setup.context, offsets: () => leader(Transaction.groupPartition).state() })
  for (const partition of setup.partitions) {
    leaders.set(partition, yield* connected(LeaderHost.make({ setup, partition, group })))
  }
  const coordinators: Array<CoordinatorHost.CoordinatorHost> = []
  for (let id = 1; id <= setup.transactionalIds; id++) {
    coordinators.push(yield* connected(CoordinatorHost.make({ setup, id, ids, log })))
  }
  const clients: Array<ClientHost.ClientHost> = []
  for (let client = 1; client <= setup.clients.length; client++) {
    clients.push(yield* connected(ClientHost.make({ setup, client, group, observed, recordOf })))
  }
  const client = (number: number): ClientHost.ClientHost => clients[number - 1]!
  const coordinator = (id: number): CoordinatorHost.CoordinatorHost => coordinators[id - 1]!

  const expireBatch = (number: number, partition: string, fault: number): Effect.Effect<boolean> =>
    Effect.suspend(() =>
      network.leaveProduce(number, partition, fault)
        ? client(number).turn({ _tag: "ExpireBatch", partition })
        : Effect.succeed(false)
    )

  const crashClient = Effect.fnUntraced(function*(number: number, fault: number) {
    if (!(yield* client(number).crash)) return false
    network.leaveClient(number, fault)
    return true
  })

  const commitOffset = Effect.fnUntraced(function*(number: number) {
    const { producer } = client(number).state()
    if (!Application.mayCommitOffset(setup, producer, group.generation())) return false
    const { position } = producer
    if (!(yield* leader(Transaction.groupPartition).commitOffset(position))) return false
    observed({ _tag: "OffsetCommitted", client: number, offset: position })
    return true
  })

  const failover = Effect.fnUntraced(function*(id: number, isWritten: boolean, fault: number) {
    if (isWritten && coordinator(id).state().appending === undefined) return false
    network.leaveCoordinator(id, fault)
    return yield* coordinator(id).failover(isWritten)
  })

  /** A stranger asks; the answer. */
  const probe = (refusal: Refusal): Effect.Effect<Errors.Error | undefined> => {
    switch (refusal._tag) {
      case "RefuseInitProducerId":
      case "RefuseAddPartitionsToTxn":
      case "RefuseEndTxn":
      case "RefuseVerification":
        return coordinator(refusal.id).probe(
          Probe.ofCoordinator(refusal, coordinator(refusal.id).state().broker, ids.free())
        )
      default:
        return leader(Probe.partitionOf(refusal)).probe(
          Probe.ofLeader(refusal, leader(Probe.partitionOf(refusal)).state().leader, group.generation())
        )
    }
  }

  const effectOf = (action: Action, fault: number): Effect.Effect<boolean> => {
    switch (action._tag) {
      case "InitTransactions":
      case "Commit":
      case "Abort":
      case "JoinGroup":
        return client(action.client).turn({ _tag: action._tag })
      case "CommitOffset":
        return commitOffset(action.client)
      case "AddPartitionsToTxn":
      case "SendProduce":
        return client(action.client).turn({ _tag: action._tag, partition: action.partition })
      case "DisconnectCoordinator":
        return network.disconnectRequest(action.client, fault)
      case "DisconnectLeader":
        return network.disconnectProduce(action.client, action.partition, fault)
      case "ExpireBatch":
        return expireBatch(action.client, action.partition, fault)
      case "CrashClient":
        return crashClient(action.client, fault)
      case "HandleInitProducerId":
        return network.deliverRequest(action.client, action.copy, "InitProducerId")
      case "HandleAddPartitionsToTxn":
        return network.deliverRequest(action.client, action.copy, "AddPartitionsToTxn")
      case "HandleEndTxn":
        return network.deliverRequest(action.client, action.copy, "EndTxn")
      case "HandleVerification":
        return network.deliverVerification(action.client, action.partition, action.copy)
      case "AppendOk":
        return coordinator(action.id).endAppend("durable")
      case "AppendFail":
        return coordinator(action.id).endAppend("failed")
      case "AppendUnknown":
        return coordinator(action.id).endAppend("unknown")
      case "CompleteTransaction":
      case "TransactionTimeout":
      case "ExpireTransactionalId":
        return coordinator(action.id).turn(action._tag)
      case "CoordinatorFailover":
        return failover(action.id, action.isWritten, fault)
      case "HandleProduce":
        return network.deliverProduce(action.client, action.partition, action.copy)
      case "AppendVerified":
        return network.resumeProduce(action.client, action.partition, action.copy)
      case "HandleMarker":
        return network.deliverMarker(action.id, action.partition, action.copy)
      case "DisconnectMarker":
        return network.disconnectMarker(action.id, action.partition, fault)
      case "Replicate":
        return leader(action.partition).replicate
      case "LeaderChange":
        return leader(action.partition).change
      default:
        return Effect.map(probe(action), (error) => error === action.error)
    }
  }

  return {
    network,
    perform: (action, fault) => Effect.suspend(() => effectOf(action, fault)),
    snapshot: Effect.gen(function*() {
      const transactionStates: Array<TransactionMetadata.Metadata> = []
      for (const { logged } of coordinators) transactionStates.push(yield* logged)
      return {
        clients: clients.map(({ state }) => state().producer),
        requests: network.requests.all(),
        produces: network.produces.all(),
        coordinators: coordinators.map(({ state }) => state()),
        transactionStates,
        markers: network.markers.all(),
        partitions: setup.partitions.map((partition) => leader(partition).state()),
        nextProducerId: ids.free(),
        generation: group.generation(),
        history: clients.map(({ state }) => state().memories)
      }
    }),
    client: (number) => client(number).state(),
    coordinator: (id) => coordinator(id).state(),
    partition: (partition) => leader(partition).state(),
    group,
    freeProducerId: ids.free,
    recordOf
  }
})
