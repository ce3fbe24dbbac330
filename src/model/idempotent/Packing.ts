/**
 * What two equal worlds have in common, part by part.
 */
import type { Partition, Producer, Replica, Sender } from "../../core/index.ts"
import type { Packing, Words } from "../Interner.ts"
import { Pool } from "../Interner.ts"
import type { Configuration } from "./Configuration.ts"
import type { Outcome, Outcomes, World } from "./World.ts"

const number = (words: Words, value: number): void => words.number(value)
const value = (words: Words, payload: Replica.Payload): void => words.value(payload)

const senderBatch = (words: Words, batch: Sender.Batch): void => {
  words.text(batch.status)
  words.number(batch.sequence)
  words.number(batch.attempts)
  words.flag(batch.maybeWritten)
  words.flag(batch.reset)
  words.list(batch.records, value)
}

const sender = (words: Words, state: Sender.Sender): void => {
  words.number(state.producerId)
  words.number(state.epoch)
  words.number(state.nextSequence)
  words.number(state.lastAcked)
  words.number(state.connection)
  words.number(state.unresolved)
  words.flag(state.epochBump)
  words.list(state.queue, number)
  words.list(state.inFlight, number)
  words.map(state.batches, senderBatch)
}

const outcome = (words: Words, state: Outcome): void => {
  words.text(state._tag)
  if (state._tag === "Acknowledged") words.number(state.offset)
}

const outcomes = (words: Words, state: Outcomes): void => words.map(state, outcome)

const producerBatch = (words: Words, { epoch, producerId, records, sequence }: Replica.ProducerBatch): void => {
  words.number(producerId)
  words.number(epoch)
  words.number(sequence)
  words.list(records, value)
}

const request = (words: Words, sent: Producer.Request): void => {
  words.number(sent.connection)
  words.number(sent.broker)
  words.number(sent.batch)
  producerBatch(words, sent)
}

const response = (words: Words, answer: Producer.Response): void => {
  words.number(answer.batch)
  words.text(answer.error)
  words.number(answer.offset)
}

const entry = (words: Words, written: Replica.Entry): void => {
  words.number(written.offset)
  producerBatch(words, written)
}

const remembered = (words: Words, written: Replica.RememberedBatch): void => {
  words.number(written.sequence)
  words.number(written.last)
  words.number(written.offset)
}

const producerState = (words: Words, state: Replica.ProducerState): void => {
  words.number(state.epoch)
  words.list(state.batches, remembered)
}

const replica = (words: Words, state: Replica.Replica): void => {
  words.list(state.log, entry)
  words.map(state.producers, producerState)
}

/** Numbers before those of the partitions, and numbers of each partition. */
const common = 2
const each = 5

export const packing = ({ partitions: names }: Configuration): Packing<World> => {
  const identities = new Pool<Sender.Identity>((words, { epoch, id }) => {
    words.number(id)
    words.number(epoch)
  })
  const senders = new Pool(sender)
  const told = new Pool(outcomes)
  const sent = new Pool<ReadonlyArray<Producer.Request>>((words, list) => words.list(list, request))
  const answered = new Pool<ReadonlyArray<Producer.Response>>((words, list) => words.list(list, response))
  const replicas = new Pool(replica)
  const partitions = new Pool<Partition.Partition>((words, { delayed, highWatermark, leader, replicas: both }) => {
    words.number(leader)
    words.number(highWatermark)
    words.number(replicas.number(both[0]))
    words.number(replicas.number(both[1]))
    if (delayed === undefined) return
    words.number(delayed.batch)
    words.number(delayed.offset)
    words.number(delayed.count)
  })
  return {
    pack: (words, world) => {
      words.number(world.faults)
      words.number(identities.number(world.producer.identity))
      for (let i = 0; i < names.length; i++) {
        words.number(senders.number(world.producer.senders[i]!))
        words.number(told.number(world.outcomes[i]!))
        words.number(sent.number(world.requests[i]!))
        words.number(answered.number(world.responses[i]!))
        words.number(partitions.number(world.partitions[i]!))
      }
    },
    unpack: (word) => {
      const list = <A extends object>(pool: Pool<A>, place: number): ReadonlyArray<A> =>
        names.map((_, i) => pool.value(word(common + i * each + place)))
      return {
        producer: { identity: identities.value(word(1)), senders: list(senders, 0) },
        outcomes: list(told, 1),
        requests: list(sent, 2),
        responses: list(answered, 3),
        partitions: list(partitions, 4),
        faults: word(0)
      }
    }
  }
}
