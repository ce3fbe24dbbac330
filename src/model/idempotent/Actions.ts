/**
 * The named actions of the specification, as functions on the world: each is one `step` of one role of the core, and
 * what the network does with its outputs.
 *
 * Nothing is decided here but what the environment may do: which message arrives next, and which fault happens.
 */
import { Partition, Producer } from "../../core/index.ts"
import * as Choice from "../Choice.ts"
import type { Configuration, FaultKind } from "./Configuration.ts"
import * as Configurations from "./Configuration.ts"
import type { Outcome, World } from "./World.ts"

type Action = Choice.Action<Configuration, World>

const { replaced } = Choice

/** Whether there is a fault of this kind left to take. */
const mayFail = (configuration: Configuration, world: World, kind: FaultKind): boolean =>
  world.faults > 0 && configuration.faultKinds.has(kind)

/** The world with a fault taken. */
const withFault = (world: World): World => ({ ...world, faults: world.faults - 1 })

const decide = (world: World, partition: number, batch: number, outcome: Outcome): World => ({
  ...world,
  outcomes: replaced(world.outcomes, partition, new Map(world.outcomes[partition]).set(batch, outcome))
})

/** A turn of the producer: its requests go to the network, its decisions to the application. */
const produce = (configuration: Configuration, world: World, input: Producer.Input): World | undefined => {
  const step = Producer.step(configuration.sender, world.producer, input)
  if (step === undefined) return undefined
  let next: World = { ...world, producer: step[0] }
  for (const output of step[1]) {
    if (output._tag === "Request") {
      const sent = [...next.requests[output.partition]!, output.request]
      next = { ...next, requests: replaced(next.requests, output.partition, sent) }
    } else {
      const { outcome } = output
      const told: Outcome = outcome._tag === "Acknowledged"
        ? { _tag: "Acknowledged", offset: outcome.offset }
        : { _tag: "Failed" }
      next = decide(next, output.partition, outcome.batch, told)
    }
  }
  return next
}

/** The connection between producer and leader is gone, whoever closed it. */
const closeConnection = (configuration: Configuration, world: World, partition: number): World => {
  const told = produce(configuration, world, { _tag: "Disconnect", partition })!
  const [broker] = Partition.step(configuration.replica, world.partitions[partition]!, { _tag: "Disconnect" })!
  return {
    ...told,
    responses: replaced(told.responses, partition, []),
    partitions: replaced(told.partitions, partition, broker)
  }
}

/** A turn of the partition: its answers go to the network. */
const serve = (
  configuration: Configuration,
  world: World,
  partition: number,
  input: Partition.Input
): World | undefined => {
  const step = Partition.step(configuration.replica, world.partitions[partition]!, input)
  if (step === undefined) return undefined
  let next: World = { ...world, partitions: replaced(world.partitions, partition, step[0]) }
  for (const output of step[1]) {
    if (output._tag === "Response") {
      const sent = [...next.responses[partition]!, output.response]
      next = { ...next, responses: replaced(next.responses, partition, sent) }
    } else {
      next = closeConnection(configuration, next, partition)
    }
  }
  return next
}

/** The oldest request of a connection is what arrives on it next. */
const arriving = (world: World, partition: number, connection: number): number => {
  const requests = world.requests[partition]!
  for (let i = 0; i < requests.length; i++) if (requests[i]!.connection === connection) return i
  return -1
}

const arrivalAt = (configuration: Configuration, world: World, partition: number, index: number): Partition.Arrival => {
  const request = world.requests[partition]![index]!
  return {
    request,
    acks: configuration.sender.acks,
    open: request.connection === world.producer.senders[partition]!.connection
  }
}

const withoutRequest = (world: World, partition: number, index: number): World => ({
  ...world,
  requests: replaced(world.requests, partition, world.requests[partition]!.toSpliced(index, 1))
})

/** An action of one partition, with `p` as its only parameter. */
const perPartition = (
  apply: (configuration: Configuration, world: World, partition: number) => World | undefined
): Action => ({
  forEach: (configuration, world, found) => {
    configuration.partitions.forEach((name, partition) => {
      const next = apply(configuration, world, partition)
      if (next !== undefined) found(next, [name])
    })
  }
})

/** The same, for an action that takes a fault. */
const faultPerPartition = (
  kind: FaultKind,
  apply: (configuration: Configuration, world: World, partition: number) => World | undefined
): Action =>
  perPartition((configuration, world, partition) => {
    const next = mayFail(configuration, world, kind) ? apply(configuration, world, partition) : undefined
    return next === undefined ? undefined : withFault(next)
  })

const Send = perPartition((configuration, world, partition) =>
  produce(configuration, world, { _tag: "Send", partition, leader: world.partitions[partition]!.leader })
)

const Resend = perPartition((configuration, world, partition) =>
  produce(configuration, world, { _tag: "Resend", partition, leader: world.partitions[partition]!.leader })
)

const ReceiveResponse = perPartition((configuration, world, partition) => {
  const [response, ...rest] = world.responses[partition]!
  if (response === undefined) return undefined
  const received = { ...world, responses: replaced(world.responses, partition, rest) }
  return produce(configuration, received, { _tag: "ReceiveResponse", partition, response })
})

/** Free after as many retries as are counted, a fault before. */
const ExpireBatch: Action = {
  forEach: (configuration, world, found) => {
    configuration.partitions.forEach((name, partition) => {
      for (const batch of Producer.expirable(world.producer.senders[partition]!)) {
        const free = batch.attempts === configuration.sender.limits.maxAttempts
        if (!free && !mayFail(configuration, world, "ExpireBatch")) continue
        const next = produce(configuration, world, { _tag: "ExpireBatch", partition, batch: batch.id })
        if (next !== undefined) found(free ? next : withFault(next), [name, batch.id])
      }
    })
  }
}

const ResolveSequences = perPartition((configuration, world, partition) =>
  produce(configuration, world, { _tag: "ResolveSequences", partition })
)

const BumpEpoch: Action = {
  forEach: (configuration, world, found) => {
    const next = produce(configuration, world, { _tag: "BumpEpoch" })
    if (next !== undefined) found(next, [])
  }
}

/** The application starts again and hands over what it has no outcome for. */
const RestartProducer: Action = {
  forEach: (configuration, world, found) => {
    if (!mayFail(configuration, world, "RestartProducer")) return
    let producer = Producer.restart(world.producer, world.producer.identity.id + 1)
    world.outcomes.forEach((outcomes, partition) => {
      for (let batch = 1; batch <= configuration.batchesPerPartition; batch++) {
        if (outcomes.has(batch)) continue
        producer = Producer.enqueue(producer, partition, batch, Configurations.records(configuration, batch))
      }
    })
    const partitions = world.partitions.map((partition) =>
      Partition.step(configuration.replica, partition, { _tag: "Disconnect" })![0]
    )
    found({ ...withFault(world), producer, partitions, responses: world.responses.map(() => []) }, [])
  }
}

/** Only a connection with something on it is worth breaking. */
const Disconnect = faultPerPartition("Disconnect", (configuration, world, partition) => {
  const { connection, inFlight } = world.producer.senders[partition]!
  const used = inFlight.length > 0 || world.requests[partition]!.some((request) => request.connection === connection)
  return used ? closeConnection(configuration, world, partition) : undefined
})

const HandleProduce: Action = {
  forEach: (configuration, world, found) => {
    configuration.partitions.forEach((name, partition) => {
      let last = -1
      for (const [index, { connection }] of world.requests[partition]!.entries()) {
        // Connections count up, and their requests stand in the order of sending.
        if (connection === last) continue
        last = connection
        const arrival = arrivalAt(configuration, world, partition, index)
        const input: Partition.Input = { _tag: "HandleProduce", arrival }
        const next = serve(configuration, withoutRequest(world, partition, index), partition, input)
        if (next !== undefined) found(next, [name, connection])
      }
    })
  }
}

const RefuseProduce: Action = {
  forEach: (configuration, world, found) => {
    for (const error of Configurations.refusals) {
      if (!mayFail(configuration, world, error)) continue
      configuration.partitions.forEach((name, partition) => {
        const { connection } = world.producer.senders[partition]!
        const index = arriving(world, partition, connection)
        if (index < 0) return
        const arrival = arrivalAt(configuration, world, partition, index)
        const input: Partition.Input = { _tag: "RefuseProduce", arrival, error }
        const next = serve(configuration, withoutRequest(world, partition, index), partition, input)
        if (next !== undefined) found(withFault(next), [name, connection, error])
      })
    }
  }
}

const TimeOutProduce = faultPerPartition(
  "TimeOutProduce",
  (configuration, world, partition) => serve(configuration, world, partition, { _tag: "TimeOutProduce" })
)

const Replicate = perPartition((configuration, world, partition) =>
  serve(configuration, world, partition, { _tag: "Replicate" })
)

const LeaderChange = faultPerPartition(
  "LeaderChange",
  (configuration, world, partition) => serve(configuration, world, partition, { _tag: "LeaderChange" })
)

/** The sockets of the broker die with it, and what was on them. */
const RestartLeader = faultPerPartition("RestartLeader", (configuration, world, partition) => {
  const { leader } = world.partitions[partition]!
  const left = world.requests[partition]!.filter((request) => request.broker !== leader)
  const lost = { ...world, requests: replaced(world.requests, partition, left) }
  return serve(configuration, lost, partition, { _tag: "RestartLeader" })
})

const ExpireProducerState = faultPerPartition(
  "ExpireProducerState",
  (configuration, world, partition) => serve(configuration, world, partition, { _tag: "ExpireProducerState" })
)

/** In the order of the specification's `Next`. */
export const actions = {
  Send,
  Resend,
  ReceiveResponse,
  ExpireBatch,
  ResolveSequences,
  BumpEpoch,
  RestartProducer,
  Disconnect,
  HandleProduce,
  RefuseProduce,
  TimeOutProduce,
  Replicate,
  LeaderChange,
  RestartLeader,
  ExpireProducerState
} as const satisfies Record<string, Action>

/** What the world can do, and what one action makes of it. */
export const { apply, successors } = Choice.of<Configuration, World>(actions)
