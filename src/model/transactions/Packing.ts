/**
 * What two equal worlds have in common, part by part.
 */
import type {
  Transaction,
  TransactionalPartition,
  TransactionalProducer,
  TransactionCoordinator,
  TransactionMetadata
} from "../../core/index.ts"
import type { Packing, Words } from "../Interner.ts"
import { Pool } from "../Interner.ts"
import type { Configuration } from "./Configuration.ts"
import type { Memory, SentMarker, SentProduce, SentRequest, World } from "./World.ts"

const text = (words: Words, value: string): void => words.text(value)

const name = (words: Words, { client, number }: Transaction.Name): void => {
  words.number(client)
  words.number(number)
}

/** What is known of each partition, which has a value or none. */
const onPartitions = <A>(
  words: Words,
  partitions: ReadonlyArray<string>,
  values: ReadonlyMap<string, A>,
  write: (words: Words, value: A | undefined) => void
): void => {
  for (const partition of partitions) write(words, values.get(partition))
}

const envelope = (
  words: Words,
  { epoch, producerId, transaction, version }: TransactionalProducer.Request | TransactionalProducer.Produce
): void => {
  words.number(producerId)
  words.number(epoch)
  words.number(version)
  name(words, transaction)
}

const sentRequest = (words: Words, { broker, client, copy, request, stage }: SentRequest): void => {
  words.number(client)
  words.number(copy)
  words.number(broker)
  words.text(stage)
  words.text(request.kind)
  envelope(words, request)
  if (request.kind === "AddPartitionsToTxn") words.text(request.partition)
  if (request.kind === "EndTxn") words.text(request.result)
}

const sentProduce = (
  words: Words,
  { broker, client, copy, guard, offset, produce, stage }: SentProduce
): void => {
  words.number(client)
  words.number(copy)
  words.number(broker)
  words.text(stage)
  words.flag(guard)
  words.number(offset)
  words.text(produce.partition)
  envelope(words, produce)
  words.number(produce.sequence)
  words.number(produce.generation)
  words.number(produce.input)
}

const sentMarker = (words: Words, { broker, copy, id, marker, offset, stage }: SentMarker): void => {
  words.number(id)
  words.number(copy)
  words.number(broker)
  words.text(stage)
  words.number(offset)
  words.text(marker.partition)
  words.number(marker.producerId)
  words.number(marker.epoch)
  words.number(marker.coordinatorEpoch)
  words.text(marker.result)
  words.number(marker.version)
  name(words, marker.transaction)
}

const metadata = (words: Words, record: TransactionMetadata.Metadata): void => {
  words.number(record.producerId)
  words.number(record.previousProducerId)
  words.number(record.nextProducerId)
  words.number(record.epoch)
  words.number(record.lastEpoch)
  words.text(record.state)
  words.list(record.partitions, text)
  words.number(record.version)
  words.flag(record.failedEpochFence)
  name(words, record.transaction)
}

const entry = (words: Words, written: TransactionalPartition.Entry): void => {
  words.text(written.kind)
  words.number(written.producerId)
  words.number(written.epoch)
  words.number(written.sequence)
  words.number(written.coordinatorEpoch)
  name(words, written.transaction)
  words.number(written.input)
}

const producerState = (words: Words, state: TransactionalPartition.ProducerState): void => {
  words.number(state.epoch)
  words.number(state.coordinatorEpoch)
  words.number(state.firstOffset)
  words.number(state.batches.length)
  for (const { last, offset, sequence } of state.batches) {
    words.number(sequence)
    words.number(last)
    words.number(offset)
  }
}

const verificationState = (words: Words, state: TransactionalPartition.VerificationState): void => {
  words.number(state.epoch)
  words.number(state.lowestSequence)
  words.number(state.version)
}

const memory = (words: Words, { input, intent, outcome, partitions }: Memory): void => {
  words.list(partitions, text)
  words.number(input)
  words.text(intent)
  words.text(outcome)
}

/** Sets of messages, told apart by the numbers of their elements. */
const sets = <A extends object>(write: (words: Words, value: A) => void): Pool<ReadonlyArray<A>> => {
  const members = new Pool(write)
  return new Pool((words, set) => {
    words.number(set.length)
    for (const number of set.map((value) => members.number(value)).sort((a, b) => a - b)) words.number(number)
  })
}

/** Numbers before those of clients, ids and partitions. */
const common = 6

export const packing = (configuration: Configuration): Packing<World> => {
  const names = configuration.partitions
  const batch = (words: Words, value: TransactionalProducer.Batch | undefined): void => words.text(value ?? "none")
  const sequence = (words: Words, value: number | undefined): void => words.number(value ?? 0)
  const producers = new Pool<TransactionalProducer.Producer>((words, state) => {
    words.text(state.state)
    words.number(state.producerId)
    words.number(state.epoch)
    words.number(state.number)
    onPartitions(words, names, state.batches, batch)
    onPartitions(words, names, state.sequences, sequence)
    words.flag(state.epochBump)
    words.number(state.generation)
    words.number(state.position)
    words.flag(state.waiting)
  })
  const records = new Pool(metadata)
  const coordinators = new Pool<TransactionCoordinator.Coordinator>((words, state) => {
    words.number(state.broker)
    words.number(state.epoch)
    words.number(records.number(state.metadata))
    words.text(state.pending)
    words.number(state.appending === undefined ? -1 : records.number(state.appending))
    words.list(state.completing, (inner, record) => inner.number(records.number(record)))
    words.list(state.outstanding, text)
  })
  const logEntries = new Pool(entry)
  const partitions = new Pool<TransactionalPartition.Partition>((words, state) => {
    words.number(state.leader)
    words.number(state.highWatermark)
    words.list(state.log, (inner, written) => inner.number(logEntries.number(written)))
    words.map(state.producers, producerState)
    words.map(state.verification, verificationState)
  })
  const requests = sets(sentRequest)
  const produces = sets(sentProduce)
  const markers = sets(sentMarker)
  const memories = new Pool<ReadonlyArray<Memory>>((words, list) => words.list(list, memory))
  const perClient = 2
  const ids = common + configuration.clients * perClient
  const leaders = ids + configuration.transactionalIds * 2
  return {
    pack: (words, world) => {
      words.number(world.faults)
      words.number(world.generation)
      words.number(world.nextProducerId)
      words.number(requests.number(world.requests))
      words.number(produces.number(world.produces))
      words.number(markers.number(world.markers))
      for (let i = 0; i < world.clients.length; i++) {
        words.number(producers.number(world.clients[i]!))
        words.number(memories.number(world.history[i]!))
      }
      for (let i = 0; i < world.coordinators.length; i++) {
        words.number(coordinators.number(world.coordinators[i]!))
        words.number(records.number(world.transactionStates[i]!))
      }
      for (let i = 0; i < world.partitions.length; i++) words.number(partitions.number(world.partitions[i]!))
    },
    unpack: (word) => {
      const list = <A extends object>(pool: Pool<A>, count: number, start: number, each: number): ReadonlyArray<A> => {
        const found: Array<A> = []
        for (let i = 0; i < count; i++) found.push(pool.value(word(start + i * each)))
        return found
      }
      return {
        clients: list(producers, configuration.clients, common, perClient),
        requests: requests.value(word(3)),
        produces: produces.value(word(4)),
        coordinators: list(coordinators, configuration.transactionalIds, ids, 2),
        transactionStates: list(records, configuration.transactionalIds, ids + 1, 2),
        markers: markers.value(word(5)),
        partitions: list(partitions, names.length, leaders, 1),
        nextProducerId: word(2),
        generation: word(1),
        faults: word(0),
        history: list(memories, configuration.clients, common + 1, perClient)
      }
    }
  }
}
