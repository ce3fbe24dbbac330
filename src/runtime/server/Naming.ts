/**
 * Topics as requests name them: by name, or in later versions by id. Requests and answers have their partitions topic by
 * topic; brokers are asked about partitions, one after the other.
 */
import { Effect } from "effect"
import type { Topics } from "../brokers/index.ts"

/** A topic of a request or an answer; the one that the version does not have is a default. */
export interface Reference {
  readonly name: string
  readonly topicId: string
}

/** The id of no topic. */
export const noId = "AAAAAAAAAAAAAAAAAAAAAA"

/** The name of the topic, whether or not there is one of this name; `undefined` where no topic has the id. */
export const nameOf = (topics: Topics.Topics, byId: boolean, { name, topicId }: Reference): string | undefined =>
  byId ? topics.withId(topicId)?.name : name

/** A topic with what was answered about each of its partitions, or `undefined` where it has no name. */
export type Answered<Topic, Answer> = readonly [topic: Topic, answers: ReadonlyArray<Answer> | undefined]

/** Asks about all partitions of topics with a name at once; answers come in the order of the items. */
export const ask = <Topic, Item, Answer, E>(
  topics: ReadonlyArray<Topic>,
  itemsOf: (topic: Topic) => ReadonlyArray<Item> | undefined,
  asked: (items: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Answer>, E>
): Effect.Effect<ReadonlyArray<Answered<Topic, Answer>>, E> => {
  const items = topics.map((topic) => [topic, itemsOf(topic)] as const)
  return Effect.map(asked(items.flatMap(([, found]) => found ?? [])), (answers) => {
    let next = 0
    return items.map(([topic, found]): Answered<Topic, Answer> => {
      if (found === undefined) return [topic, undefined]
      const from = next
      next += found.length
      return [topic, answers.slice(from, next)]
    })
  })
}
