/**
 * The actions of clients: what the application wants of its producer, and the faults that a client notices.
 */
import { Sequence, Transaction, TransactionalPartition, type TransactionalProducer } from "../../core/index.ts"
import type * as Choice from "../Choice.ts"
import type { Configuration, FaultKind } from "./Configuration.ts"
import { exchanged, mayFail, partitionNamed, placeOf, produce, remember, serve, withFault } from "./Turns.ts"
import type { SentProduce, SentRequest, World } from "./World.ts"
import { live } from "./World.ts"

const { groupPartition } = Transaction

type Action = Choice.Action<Configuration, World>

/** An action of one client. */
const perClient = (
  apply: (configuration: Configuration, world: World, client: number) => World | undefined
): Action => ({
  forEach: (configuration, world, found) => {
    for (let client = 1; client <= configuration.clients; client++) {
      const next = apply(configuration, world, client)
      if (next !== undefined) found(next, [client])
    }
  }
})

/** An action of one client on one partition. */
const perClientAndPartition = (
  apply: (configuration: Configuration, world: World, client: number, partition: string) => World | undefined
): Action => ({
  forEach: (configuration, world, found) => {
    for (let client = 1; client <= configuration.clients; client++) {
      for (const partition of configuration.partitions) {
        const next = apply(configuration, world, client, partition)
        if (next !== undefined) found(next, [client, partition])
      }
    }
  }
})

const InitTransactions = perClient((configuration, world, client) =>
  produce(configuration, world, client, { _tag: "InitTransactions" })
)

/** The application has a transaction open, or one left to begin, for which it knows its inputs. */
const mayWrite = ({ group, transactionsPerClient }: Configuration, producer: TransactionalProducer.Producer): boolean =>
  producer.state !== "READY"
  || (producer.number < transactionsPerClient && (!group || producer.generation !== Sequence.none))

/** The group's offset is committed behind the transaction's first record. */
const isInTurn = (
  { context }: Configuration,
  { batches }: TransactionalProducer.Producer,
  partition: string
): boolean => partition !== groupPartition || (context.rules.OffsetsInTransaction() && batches.size > 0)

/** The application hands a record over. */
const handOver = (
  configuration: Configuration,
  world: World,
  client: number,
  input: TransactionalProducer.Input & { readonly partition: string }
): World | undefined => {
  const before = world.clients[client - 1]!
  if (!mayWrite(configuration, before)) return undefined
  const next = produce(configuration, world, client, input)
  if (next === undefined) return undefined
  const { number } = next.clients[client - 1]!
  const { partitions } = next.history[client - 1]![number - 1]!
  return remember(next, client, number, {
    partitions: partitions.includes(input.partition) ? partitions : [...partitions, input.partition].sort(),
    input: before.position
  })
}

const AddPartitionsToTxn = perClientAndPartition((configuration, world, client, partition) =>
  isInTurn(configuration, world.clients[client - 1]!, partition)
    ? handOver(configuration, world, client, { _tag: "AddPartitionsToTxn", partition })
    : undefined
)

const SendProduce = perClientAndPartition((configuration, world, client, partition) =>
  isInTurn(configuration, world.clients[client - 1]!, partition)
    ? handOver(configuration, world, client, { _tag: "SendProduce", partition })
    : undefined
)

/** With a group the application commits when it has sent the offset too. */
const Commit = perClient((configuration, world, client) => {
  const { batches, number } = world.clients[client - 1]!
  const { context, group } = configuration
  if (group && context.rules.OffsetsInTransaction() && !batches.has(groupPartition)) return undefined
  const next = produce(configuration, world, client, { _tag: "Commit" })
  return next === undefined ? undefined : remember(next, client, number, { intent: "commit" })
})

const Abort = perClient((configuration, world, client) => {
  const next = produce(configuration, world, client, { _tag: "Abort" })
  return next === undefined ? undefined : remember(next, client, world.clients[client - 1]!.number, { intent: "abort" })
})

/** The member that joins makes a new generation, and waits until its offset is stable. */
const JoinGroup = perClient((configuration, world, client) => {
  if (!configuration.group) return undefined
  const partition = partitionNamed(configuration, world, groupPartition)
  const fetched = TransactionalPartition.fetchOffset(configuration.context, partition)
  if (fetched.error !== "NONE") return undefined
  const generation = world.generation + 1
  const next = produce(configuration, world, client, { _tag: "JoinGroup", generation, position: fetched.offset })
  return next === undefined ? undefined : { ...next, generation }
})

/** Outside of the transaction the application commits its offset after it; a member of an old generation may not. */
const CommitOffset = perClient((configuration, world, client) => {
  const { context, group } = configuration
  const { generation, position, state } = world.clients[client - 1]!
  if (!group || context.rules.OffsetsInTransaction()) return undefined
  if (state !== "READY" || generation !== world.generation) return undefined
  const place = placeOf(configuration, groupPartition)
  const next = serve(configuration, world, place, { _tag: "CommitOffset", position })
  if (next === undefined || configuration.replicationLag) return next
  return serve(configuration, next, place, { _tag: "Replicate" })
})

/** The sender gives up waiting and sends again; the first copy may still arrive. */
const DisconnectCoordinator: Action = {
  forEach: (configuration, world, found) => {
    if (!mayFail(configuration, world, "DisconnectCoordinator")) return
    for (const sent of world.requests) {
      if (sent.copy !== live) continue
      const { client, request } = sent
      const left = { ...world, requests: exchanged(world.requests, sent, { ...sent, copy: world.faults }) }
      const input: TransactionalProducer.Input = { _tag: "ReceiveAnswer", request, answer: disconnected }
      found(withFault(produce(configuration, left, client, input)!), [client])
    }
  }
}

const disconnected: TransactionalProducer.Answer = {
  error: "NETWORK_EXCEPTION",
  producerId: Sequence.none,
  epoch: Sequence.none
}

/** A fault with which a client gives a batch up; its copy may still arrive. */
const perProduceGivenUp = (
  kind: FaultKind,
  input: (produce: TransactionalProducer.Produce) => TransactionalProducer.Input
): Action => ({
  forEach: (configuration, world, found) => {
    if (!mayFail(configuration, world, kind)) return
    for (const sent of world.produces) {
      if (sent.copy !== live) continue
      const left = { ...world, produces: exchanged(world.produces, sent, { ...sent, copy: world.faults }) }
      const next = produce(configuration, left, sent.client, input(sent.produce))
      if (next !== undefined) found(withFault(next), [sent.client, sent.produce.partition])
    }
  }
})

const DisconnectLeader = perProduceGivenUp("DisconnectLeader", (produce) => ({
  _tag: "ReceiveProduceAnswer",
  produce,
  error: "NETWORK_EXCEPTION"
}))

const ExpireBatch = perProduceGivenUp("ExpireBatch", ({ partition }) => ({ _tag: "ExpireBatch", partition }))

/** The application dies and starts again under its transactional id. */
const CrashClient = perClient((configuration, world, client) => {
  if (!mayFail(configuration, world, "CrashClient")) return undefined
  const copy = world.faults
  const left = <Sent extends SentRequest | SentProduce>(sent: Sent): Sent =>
    sent.client === client && sent.copy === live ? { ...sent, copy } : sent
  const lost = { ...world, requests: world.requests.map(left), produces: world.produces.map(left) }
  const next = produce(configuration, lost, client, { _tag: "Crash" })
  return next === undefined ? undefined : withFault(next)
})

/** In the order of the specification's `Next`. */
export const actions = {
  InitTransactions,
  AddPartitionsToTxn,
  SendProduce,
  Commit,
  Abort,
  JoinGroup,
  CommitOffset,
  DisconnectCoordinator,
  DisconnectLeader,
  ExpireBatch,
  CrashClient
} as const satisfies Record<string, Action>
