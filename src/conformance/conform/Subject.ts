/**
 * What a walk is about on a broker: its own topic partitions, transactional ids and group, and which producer ids of the
 * broker stand for those of the specification.
 */
import { Sequence, Transaction } from "../../core/index.ts"
import { Transactions } from "../../model/index.ts"

/** A partition of the broker. */
export interface Place {
  readonly topic: string
  readonly partition: number
  /** The offset that is 0 in the specification. */
  readonly start: number
  /** Producer ids that were there before. */
  readonly strangers: ReadonlySet<number>
}

export interface Subject {
  /** By name in the specification, but for the group's partition. */
  readonly places: ReadonlyMap<string, Place>
  /** By number. */
  readonly transactionalIds: ReadonlyArray<string>
  readonly group: string
  readonly transactionTimeoutMs: number
  /** Of all records, in milliseconds; the time at which each is sent, if not given. */
  readonly timestamp?: number
  /** The broker's coordinator epoch that is 0 in the specification. */
  readonly coordinatorEpoch: number
  /** A producer id that brokers do not come to. */
  readonly stranger: number
  /** The broker's producer ids by those of the specification. */
  readonly producerIds: Map<number, number>
}

let nextStranger = 2 ** 52

/** A producer id that brokers do not come to, another one each time. */
export const strangers = (): number => nextStranger++

/** No producer id that anybody was told. */
const unknown = 2 ** 51

/** The broker's name for a producer id; one that was never told stands for none that there is. */
export const toBroker = ({ producerIds, stranger }: Subject, producerId: number): number => {
  if (producerId === Sequence.none) return Sequence.none
  if (producerId === Transactions.Requests.stranger) return stranger
  return producerIds.get(producerId) ?? unknown
}

/** The specification's name for a producer id of the broker; itself, negative, where it has none. */
export const toSpecification = ({ producerIds, stranger }: Subject, producerId: number): number => {
  if (producerId === Sequence.none) return Sequence.none
  if (producerId === stranger) return Transactions.Requests.stranger
  for (const [known, told] of producerIds) if (told === producerId) return known
  return -producerId - 2
}

/**
 * Takes a producer id that the broker tells where the specification has `expected`: a new one must be new to the walk.
 * Returns the specification's name for it.
 */
export const learn = (subject: Subject, expected: number, told: number): number => {
  const known = toSpecification(subject, told)
  if (expected === Sequence.none || told < 0 || known >= 0 || subject.producerIds.has(expected)) return known
  subject.producerIds.set(expected, told)
  return expected
}

/** An offset of the broker as the specification counts it; -1 stays. */
export const offsetAt = ({ start }: Place, offset: number): number => offset === Sequence.none ? offset : offset - start

export const isGroup = (partition: string): boolean => partition === Transaction.groupPartition

export const placeOf = ({ places }: Subject, partition: string): Place => places.get(partition)!

/** The specification's name for a partition of the broker. */
export const partitionAt = ({ places }: Subject, topic: string, partition: number): string => {
  if (isGroup(topic)) return topic
  for (const [name, place] of places) if (place.topic === topic && place.partition === partition) return name
  return `${topic}-${partition}`
}
