/**
 * How the leader of a group shares out partitions among the members, as pure functions of the subscriptions.
 *
 * Both are eager: what a member had before does not count. `RangeAssignor` and `RoundRobinAssignor` in Kafka, without
 * racks.
 */
import type { Assignment } from "./ConsumerGroup.ts"
import type { TopicPartition } from "./TopicPartition.ts"

/** A member and what it subscribes to. */
export interface Subscriber {
  readonly member: string
  readonly topics: ReadonlyArray<string>
}

/** The members, in any order, and how many partitions each topic has; one that is not there has none. */
export type Assignor = (
  subscribers: ReadonlyArray<Subscriber>,
  partitionCounts: ReadonlyMap<string, number>
) => ReadonlyArray<Assignment>

/** Ids compare by code units, as in Java. */
const byMember = (a: Subscriber, b: Subscriber): number => a.member < b.member ? -1 : 1

const subscribedTopics = (subscribers: ReadonlyArray<Subscriber>): ReadonlyArray<string> =>
  [...new Set(subscribers.flatMap(({ topics }) => topics))].toSorted()

const partitionsOf = (topic: string, from: number, to: number): ReadonlyArray<TopicPartition> =>
  Array.from({ length: to - from }, (_, i) => ({ topic, partition: from + i }))

/** Whom a partition goes to, one after the other, comes to an assignment for everybody. */
const assignments = (
  members: ReadonlyArray<Subscriber>,
  given: ReadonlyMap<string, ReadonlyArray<TopicPartition>>
): ReadonlyArray<Assignment> => members.map(({ member }) => ({ member, partitions: given.get(member) ?? [] }))

/** Topic by topic, each member a run of partitions; the first ones get one more where it does not come out even. */
export const range: Assignor = (subscribers, partitionCounts) => {
  const members = subscribers.toSorted(byMember)
  const given = new Map<string, Array<TopicPartition>>(members.map(({ member }) => [member, []]))
  for (const topic of subscribedTopics(members)) {
    const count = partitionCounts.get(topic) ?? 0
    const interested = members.filter(({ topics }) => topics.includes(topic))
    const each = Math.floor(count / interested.length)
    const more = count % interested.length
    interested.forEach(({ member }, i) => {
      const from = each * i + Math.min(i, more)
      given.get(member)!.push(...partitionsOf(topic, from, from + each + (i < more ? 1 : 0)))
    })
  }
  return assignments(members, given)
}

/** All partitions of all topics in turn; a member that does not subscribe to the topic is passed over. */
export const roundRobin: Assignor = (subscribers, partitionCounts) => {
  const members = subscribers.toSorted(byMember)
  const given = new Map<string, Array<TopicPartition>>(members.map(({ member }) => [member, []]))
  let turn = 0
  for (const topic of subscribedTopics(members)) {
    for (const partition of partitionsOf(topic, 0, partitionCounts.get(topic) ?? 0)) {
      while (!members[turn % members.length]!.topics.includes(topic)) turn++
      given.get(members[turn++ % members.length]!.member)!.push(partition)
    }
  }
  return assignments(members, given)
}
