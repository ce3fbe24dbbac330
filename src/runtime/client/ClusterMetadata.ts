/**
 * What a client knows of its cluster: which brokers there are, who leads each partition and who coordinates a group.
 *
 * It is as old as the last answer. Whoever learns that it is wrong asks for an update, and tries again.
 */
import { Effect } from "effect"
import { TopicPartition } from "../../core/index.ts"
import { type Api, type ApiKey, type Connections, Disconnected, type NodeId } from "./Requests.ts"

export interface ClusterMetadata {
  /** Sends a request; without an answer for `request.timeout.ms` the connection counts as ended. */
  readonly ask: <Key extends ApiKey>(
    node: NodeId,
    api: Key,
    request: Api[Key]["request"],
    /** How much longer than usual the answer may take. */
    extraMs?: number
  ) => Effect.Effect<Api[Key]["response"], Disconnected>
  /** Sends a request that every broker can answer, to one after the other until one does. */
  readonly askAny: <Key extends ApiKey>(
    api: Key,
    request: Api[Key]["request"]
  ) => Effect.Effect<Api[Key]["response"], Disconnected>
  /** Asks about topics anew; about one that is not there nothing is known any more. */
  readonly update: (topics: ReadonlyArray<string>) => Effect.Effect<void, Disconnected>
  readonly leader: (partition: TopicPartition.TopicPartition) => NodeId | undefined
  /** 0 for a topic that is not known. */
  readonly partitionCount: (topic: string) => number
}

/** A client that knows nothing yet. */
export const make = (connections: Connections["Service"], requestTimeoutMs: number): ClusterMetadata => {
  let nodes = connections.bootstrap
  let turn = 0
  const leaders = new Map<string, NodeId>()
  const partitionCounts = new Map<string, number>()

  const ask: ClusterMetadata["ask"] = (node, api, request, extraMs = 0) =>
    connections.send(node, api, request).pipe(
      Effect.timeoutOrElse({
        duration: requestTimeoutMs + extraMs,
        orElse: () => Effect.fail(new Disconnected({ node, api }))
      })
    )

  const askAny: ClusterMetadata["askAny"] = (api, request) => {
    const attempt = (left: number): ReturnType<typeof ask<typeof api>> =>
      ask(nodes[turn % nodes.length]!, api, request).pipe(
        Effect.catch((disconnected) => {
          turn++
          return left > 1 ? attempt(left - 1) : Effect.fail(disconnected)
        })
      )
    return Effect.suspend(() => attempt(nodes.length))
  }

  const received = (topics: ReadonlyArray<string>, { brokers, partitions }: Api["Metadata"]["response"]): void => {
    if (brokers.length > 0) nodes = brokers
    for (const topic of topics) {
      const count = partitions.filter((found) => found.topic === topic).length
      for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
        leaders.delete(TopicPartition.key({ topic, partition }))
      }
      partitionCounts.set(topic, count)
    }
    for (const partition of partitions) {
      if (partition.leader >= 0) leaders.set(TopicPartition.key(partition), partition.leader)
    }
  }

  return {
    ask,
    askAny,
    update: (topics) => askAny("Metadata", { topics }).pipe(Effect.map((response) => received(topics, response))),
    leader: (partition) => leaders.get(TopicPartition.key(partition)),
    partitionCount: (topic) => partitionCounts.get(topic) ?? 0
  }
}
