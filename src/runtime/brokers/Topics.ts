/**
 * The topics of a cluster by name and by id, with the leaders of their partitions.
 *
 * The topic of the groups' offsets is one of them. It has one partition, which the core knows by the name of the topic.
 */
import { TopicPartition, Transaction } from "../../core/index.ts"
import type * as Leader from "./Leader.ts"

type Partition = TopicPartition.TopicPartition

export interface Topic {
  readonly name: string
  /** As Kafka prints it: 22 characters of base64. */
  readonly id: string
  readonly partitions: number
  /** Clients do not write to it. */
  readonly isInternal: boolean
}

export interface Topics {
  readonly all: () => ReadonlyArray<Topic>
  readonly named: (name: string) => Topic | undefined
  readonly withId: (id: string) => Topic | undefined
  /** A topic that there is not yet. */
  readonly create: (name: string, partitions: number) => Topic
  /** Its records are gone. */
  readonly remove: (name: string) => void
  readonly leader: (partition: Partition) => Leader.Leader | undefined
  /** By the name that the core has for the partition. */
  readonly leaderOf: (partition: string) => Leader.Leader | undefined
  readonly leaders: () => Iterable<Leader.Leader>
}

/** What the core calls a partition. */
export const nameOf = ({ partition, topic }: Partition): string =>
  topic === Transaction.groupPartition && partition === 0 ? topic : TopicPartition.key({ topic, partition })

/** The partition that the core calls by this name. */
export const partitionOf = (name: string): Partition => {
  if (name === Transaction.groupPartition) return { topic: name, partition: 0 }
  const dash = name.lastIndexOf("-")
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}

const UUID_SIZE = 16

/** Ids are given in turn. They begin with a word of their own, since Kafka keeps those with a small number. */
const idOf = (number: number): string => {
  const bytes = Buffer.alloc(UUID_SIZE)
  bytes.write("keos")
  bytes.writeUInt32BE(number, UUID_SIZE - 4)
  return bytes.toString("base64url")
}

/** No topics yet; `lead` makes the leader of a new partition, which is the `index`th of all. */
export const make = (lead: (partition: string, index: number) => Leader.Leader): Topics => {
  const topics = new Map<string, Topic>()
  const byId = new Map<string, Topic>()
  const leaders = new Map<string, Leader.Leader>()
  let ids = 0
  let index = 0

  const partitions = ({ name: topic, partitions: count }: Topic): ReadonlyArray<string> =>
    Array.from({ length: count }, (_, partition) => nameOf({ topic, partition }))

  return {
    all: () => [...topics.values()],
    named: (name) => topics.get(name),
    withId: (id) => byId.get(id),
    create: (name, count) => {
      const topic = { name, id: idOf(++ids), partitions: count, isInternal: name === Transaction.groupPartition }
      topics.set(name, topic)
      byId.set(topic.id, topic)
      for (const partition of partitions(topic)) leaders.set(partition, lead(partition, index++))
      return topic
    },
    remove: (name) => {
      const topic = topics.get(name)
      if (topic === undefined) return
      topics.delete(name)
      byId.delete(topic.id)
      for (const partition of partitions(topic)) leaders.delete(partition)
    },
    leader: (partition) => leaders.get(nameOf(partition)),
    leaderOf: (partition) => leaders.get(partition),
    leaders: () => leaders.values()
  }
}
