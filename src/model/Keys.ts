/**
 * Worlds as small keys: every part of a world is interned once, and a world is the list of its parts' numbers.
 *
 * Parts recombine far more often than they are new, so almost all of the work of comparing worlds is done once per
 * part. Keys are comparable only within one `Interner`.
 */
import type { Partition, Producer, Replica, Sender } from "../core/index.ts"
import type { Outcomes, World } from "./World.ts"

const sender = (state: Sender.Sender): string => {
  let text = `${state.producerId},${state.epoch},${state.nextSequence},${state.lastAcked},${state.connection},`
    + `${state.unresolved},${state.epochBump ? 1 : 0};${state.queue.join(",")};${state.inFlight.join(",")}`
  const ids = [...state.batches.keys()].sort((a, b) => a - b)
  for (const id of ids) {
    const { attempts, maybeWritten, records, reset, sequence, status } = state.batches.get(id)!
    text += `;${id},${status},${sequence},${attempts},${maybeWritten ? 1 : 0}${reset ? 1 : 0},${records.join("+")}`
  }
  return text
}

const outcomes = (state: Outcomes): string => {
  let text = ""
  for (const id of [...state.keys()].sort((a, b) => a - b)) {
    const outcome = state.get(id)!
    text += outcome._tag === "Acknowledged" ? `${id}@${outcome.offset};` : `${id}!;`
  }
  return text
}

const batch = ({ epoch, producerId, records, sequence }: Replica.ProducerBatch): string =>
  `${producerId},${epoch},${sequence},${records.join("+")}`

const requests = (list: ReadonlyArray<Producer.Request>): string => {
  let text = ""
  for (const request of list) text += `${request.connection},${request.broker},${request.batch},${batch(request)};`
  return text
}

const responses = (list: ReadonlyArray<Producer.Response>): string => {
  let text = ""
  for (const response of list) text += `${response.batch},${response.error},${response.offset};`
  return text
}

const replica = (state: Replica.Replica): string => {
  let text = ""
  for (const entry of state.log) text += `${entry.offset},${batch(entry)};`
  for (const id of [...state.producers.keys()].sort((a, b) => a - b)) {
    const known = state.producers.get(id)!
    text += `|${id},${known.epoch}`
    for (const written of known.batches) text += `;${written.sequence},${written.last},${written.offset}`
  }
  return text
}

const partition = (state: Partition.Partition, replicaNumber: (replica: Replica.Replica) => number): string => {
  const { delayed } = state
  const waiting = delayed === undefined ? "" : `${delayed.batch},${delayed.offset},${delayed.count}`
  const [first, second] = state.replicas
  return `${state.leader},${state.highWatermark},${waiting},${replicaNumber(first)},${replicaNumber(second)}`
}

/** The distinct values of one kind, numbered in the order in which they were met. */
class Pool<A extends object> {
  readonly values: Array<A> = []
  // Only the first object of each value is remembered: a table of all of them would keep every world alive.
  readonly #numbers = new Map<A, number>()
  readonly #byText = new Map<string, number>()
  readonly #describe: (value: A) => string

  constructor(describe: (value: A) => string) {
    this.#describe = describe
  }

  number(value: A): number {
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    const text = this.#describe(value)
    const equal = this.#byText.get(text)
    if (equal !== undefined) return equal
    const number = this.values.length
    this.values.push(value)
    this.#numbers.set(value, number)
    this.#byText.set(text, number)
    return number
  }
}

export interface Interner {
  /** Equal for equal worlds, and only for those. */
  readonly key: (world: World) => string
  /** An equal world made of the parts that were met first, whose keys are found by identity. */
  readonly share: (world: World) => World
}

export const make = (): Interner => {
  const senders = new Pool(sender)
  const told = new Pool(outcomes)
  const sent = new Pool(requests)
  const answered = new Pool(responses)
  const replicas = new Pool(replica)
  const partitions = new Pool<Partition.Partition>((state) => partition(state, (value) => replicas.number(value)))
  const shared = <A extends object>(pool: Pool<A>) => (value: A): A => pool.values[pool.number(value)]!
  return {
    key: (world) => {
      const { identity } = world.producer
      let key = `${world.faults},${identity.id},${identity.epoch}`
      for (let i = 0; i < world.partitions.length; i++) {
        key += `,${senders.number(world.producer.senders[i]!)},${told.number(world.outcomes[i]!)},`
          + `${sent.number(world.requests[i]!)},${answered.number(world.responses[i]!)},`
          + `${partitions.number(world.partitions[i]!)}`
      }
      return key
    },
    share: (world) => ({
      producer: { identity: world.producer.identity, senders: world.producer.senders.map(shared(senders)) },
      outcomes: world.outcomes.map(shared(told)),
      requests: world.requests.map(shared(sent)),
      responses: world.responses.map(shared(answered)),
      partitions: world.partitions.map(shared(partitions)),
      faults: world.faults
    })
  }
}
