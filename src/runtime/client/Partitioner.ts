/**
 * Which partition a record goes to: Kafka's hash of the key, and the ways to place records that have none.
 *
 * Pure but for the state that a topic's chooser keeps. Chance is an argument: a function that draws from [0, 1).
 * `Utils.murmur2`, `BuiltInPartitioner`, `RoundRobinPartitioner`, and `StickyPartitionCache` of Kafka 2.4 to 3.9.
 */

/** What is known of a topic when a record is to be placed. */
export interface Topic {
  readonly name: string
  /** How many partitions there are; one or more. */
  readonly partitions: number
  /** Those that have a leader. */
  readonly available: ReadonlyArray<number>
  /** How many batches wait for each of those that accept load; KIP-794 prefers short queues. */
  readonly load: () => ReadonlyArray<Queue>
}

export interface Queue {
  readonly partition: number
  /** Batches. */
  readonly size: number
}

/** A record as a partitioner sees it: after serialization. */
export interface Record {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** Places the records of one topic. */
export interface Chooser {
  readonly choose: (record: Record, topic: Topic) => number
  /** A record of so many bytes was appended; `isFull` when the last batch of the partition takes no more. */
  readonly appended: (partition: number, bytes: number, isFull: boolean) => void
  /** The record does not fit into a batch of the chosen partition. Whether to choose again before it begins one. */
  readonly begins: (partition: number, topic: Topic) => boolean
}

export interface Partitioner {
  /** Records with a key are placed by its hash; the chooser sees the others only. */
  readonly usesKeys: boolean
  readonly make: (options: Options) => Chooser
}

export interface Options {
  /** Draws from [0, 1). */
  readonly random: () => number
  /** `batch.size`, in bytes. */
  readonly batchSize: number
  /** `partitioner.adaptive.partitioning.enable`. */
  readonly adaptive: boolean
}

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** The 32-bit hash of Kafka's partitioner, as a signed integer. */
export const murmur2 = (bytes: Uint8Array): number => {
  const { length } = bytes
  const words = length & ~3
  let h = SEED ^ length
  for (let i = 0; i < words; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    let k = Math.imul(word, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  if (length > words) {
    for (let i = length - 1; i >= words; i--) h ^= bytes[i]! << (8 * (i - words))
    h = Math.imul(h, M)
  }
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

/** `Utils.toPositive`: a mask, so that the result of the smallest integer is 0. */
export const toPositive = (number: number): number => number & 0x7fffffff

/** The partition of a key, of all partitions whether they have a leader or not. `BuiltInPartitioner.partitionForKey`. */
export const partitionForKey = (key: Uint8Array, partitions: number): number => toPositive(murmur2(key)) % partitions

const never = (): boolean => false
const nothing = (): void => undefined

const pick = <A>(items: ReadonlyArray<A>, random: () => number): A => items[Math.floor(random() * items.length)]!

/** Any partition that has a leader; any at all when none has. */
const pickAvailable = ({ available, partitions }: Topic, random: () => number): number =>
  available.length > 0 ? pick(available, random) : Math.floor(random() * partitions)

/**
 * A partition by weight: the longer its queue, the smaller its chance, and the longest still has one.
 * `BuiltInPartitioner.updatePartitionLoadStats`, `nextPartition`.
 */
export const pickByLoad = (queues: ReadonlyArray<Queue>, random: () => number): number => {
  const longest = queues.reduce((most, { size }) => Math.max(most, size), 0)
  const weight = ({ size }: Queue): number => longest + 1 - size
  const total = queues.reduce((sum, queue) => sum + weight(queue), 0)
  let left = Math.floor(random() * total)
  let index = 0
  while (left >= weight(queues[index]!)) left -= weight(queues[index++]!)
  return queues[index]!.partition
}

/**
 * KIP-794, Kafka's own: stays with a partition until `batch.size` bytes went to it and its last batch is full, but for
 * twice that at most. Uniform over partitions, or by the lengths of their queues.
 */
export const uniform: Partitioner = {
  usesKeys: true,
  make: ({ adaptive, batchSize, random }) => {
    let current: number | undefined
    let produced = 0
    const next = (topic: Topic): number => {
      const queues = adaptive ? topic.load() : []
      return queues.length > 0 ? pickByLoad(queues, random) : pickAvailable(topic, random)
    }
    return {
      choose: (_record, topic) => {
        if (current === undefined || current >= topic.partitions) {
          current = next(topic)
          produced = 0
        }
        return current
      },
      appended: (partition, bytes, isFull) => {
        if (partition !== current) return
        produced += bytes
        if ((produced >= batchSize && isFull) || produced >= 2 * batchSize) current = undefined
      },
      begins: (partition) => {
        if (partition !== current || produced < batchSize) return false
        current = undefined
        return true
      }
    }
  }
}

/** KIP-480, Kafka's own from 2.4 to 3.2: goes to another partition whenever a batch begins. */
export const sticky: Partitioner = {
  usesKeys: true,
  make: ({ random }) => {
    let current: number | undefined
    let isChosen = false
    const other = (previous: number | undefined, topic: Topic): number => {
      const others = topic.available.filter((partition) => partition !== previous)
      return others.length > 0 ? pick(others, random) : pickAvailable(topic, random)
    }
    return {
      choose: (_record, topic) => {
        if (current === undefined || current >= topic.partitions) {
          current = other(undefined, topic)
          isChosen = true
        }
        return current
      },
      appended: () => {
        isChosen = false
      },
      begins: (partition, topic) => {
        if (isChosen) return false
        current = other(partition, topic)
        isChosen = true
        return true
      }
    }
  }
}

/** `RoundRobinPartitioner`: one after the other of those that have a leader, whatever the keys. */
export const roundRobin: Partitioner = {
  usesKeys: false,
  make: () => {
    let count = 0
    return {
      choose: (_record, { available, partitions }) => {
        const turn = toPositive(count++)
        return available.length > 0 ? available[turn % available.length]! : turn % partitions
      },
      appended: nothing,
      begins: never
    }
  }
}

/** A function of one's own; it sees records with keys too. What it answers must be a partition of the topic. */
export const custom = (choose: (record: Record, topic: Topic) => number): Partitioner => ({
  usesKeys: false,
  make: () => ({ choose, appended: nothing, begins: never })
})
