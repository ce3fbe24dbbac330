/**
 * The named actions of the specification, as functions on the world: each is one `step` of the partition, and what the
 * consumer makes of the answer to its fetch.
 *
 * Nothing is decided here but what the environment may do: who writes, while there is room, and how much a fetch returns.
 */
import { Fetch, FetchedRecords } from "../../core/index.ts"
import * as Choice from "../Choice.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"

type Action = Choice.Action<Configuration, World>

/** A turn of the partition; what it returns goes to the consumer. */
const serve = ({ rules }: Configuration, world: World, input: Fetch.Input): World | undefined => {
  const step = Fetch.step(rules, world.partition, input)
  if (step === undefined) return undefined
  const served: World = { ...world, partition: step[0] }
  return step[1].reduce((before, fetched) => {
    const { delivered, position } = FetchedRecords.receive(rules, fetched)
    return { ...before, position, delivered: [...before.delivered, ...delivered] }
  }, served)
}

const hasRoom = ({ maxEntries }: Configuration, { partition }: World): boolean => partition.log.length < maxEntries

const WriteRecord: Action = {
  forEach: (configuration, world, found) => {
    if (!hasRoom(configuration, world)) return
    for (let producerId = 1; producerId <= configuration.producers; producerId++) {
      found(serve(configuration, world, { _tag: "WriteRecord", producerId })!, [producerId])
    }
  }
}

const WriteMarker: Action = {
  forEach: (configuration, world, found) => {
    if (!hasRoom(configuration, world)) return
    for (let producerId = 1; producerId <= configuration.producers; producerId++) {
      for (const result of ["COMMIT", "ABORT"] as const) {
        found(serve(configuration, world, { _tag: "WriteMarker", producerId, result })!, [producerId, result])
      }
    }
  }
}

const FetchRecords: Action = {
  forEach: (configuration, world, found) => {
    for (let count = 1; count <= configuration.fetchSize; count++) {
      const next = serve(configuration, world, { _tag: "FetchRecords", offset: world.position, count })
      if (next !== undefined) found(next, [count])
    }
  }
}

const ParkFetch: Action = {
  forEach: (configuration, world, found) => {
    const next = serve(configuration, world, { _tag: "ParkFetch", offset: world.position })
    if (next !== undefined) found(next, [])
  }
}

const CompleteFetch: Action = {
  forEach: (configuration, world, found) => {
    for (let count = 1; count <= configuration.fetchSize; count++) {
      const next = serve(configuration, world, { _tag: "CompleteFetch", count })
      if (next !== undefined) found(next, [count])
    }
  }
}

/** In the order of the specification's `Next`. */
export const actions = {
  WriteRecord,
  WriteMarker,
  FetchRecords,
  ParkFetch,
  CompleteFetch
} as const satisfies Record<string, Action>

/** What the world can do, and what one action makes of it. */
export const { apply, successors } = Choice.of<Configuration, World>(actions)
