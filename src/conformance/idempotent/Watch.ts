/**
 * Watches a cluster that lives by itself step by step: which actions of the specification it takes, which worlds it comes
 * through, and whether one of them violates what is watched.
 *
 * A step is seen before its outputs are under way, and a closed connection is known to one role earlier than to another, so
 * such a world need not be one of the specification. What its witnesses and invariants ask for can be seen in it all the
 * same: they speak of logs, outcomes, and what is on the way.
 */
import type { Partition, Replica } from "../../core/index.ts"
import type { Configuration } from "../../model/idempotent/Configuration.ts"
import { faultKinds, warmBatch } from "../../model/idempotent/Configuration.ts"
import { model } from "../../model/idempotent/Model.ts"
import type { World } from "../../model/idempotent/World.ts"
import type { Cluster } from "../../runtime/idempotent/index.ts"
import type { Asked, Judgement } from "../Histories.ts"
import * as Reach from "../Reach.ts"
import * as Scenario from "./Scenario.ts"

/** What a watch needs to see of a cluster. */
export type Visible = Pick<Cluster.Cluster["Service"], "broker" | "network" | "producer">

export interface Watch {
  /** Begins; nothing that happens before is seen. */
  readonly begin: (cluster: Visible) => void
  /** These records were handed over as a batch. */
  readonly batched: (partition: number, batch: number, records: ReadonlyArray<Replica.Payload>) => void
  readonly taken: (taken: Cluster.Taken) => void
  /** What was found, and the actions in the order in which they were taken. */
  readonly found: () => Pick<Judgement, "seen" | "reach" | "actions"> & { readonly actionsTaken: ReadonlyArray<string> }
}

/** The configuration of the specification that comes closest to a setup. */
const configurationOf = ({ faultKinds: kinds, replica, sender }: Scenario.Setup): Configuration => ({
  partitions: Scenario.partitions,
  batchesPerPartition: Scenario.maxRecords,
  twoRecordBatches: new Set(),
  startSequence: 0,
  faultBudget: 1,
  faultKinds: kinds,
  sender,
  replica
})

const numbers = Scenario.partitions.map((_, number) => number)

/** The world that a cluster shows. Batches go by their numbers, which entries of the log do not have. */
const makeProjection = ({ startSequence }: Scenario.Parts) => {
  const batches = numbers.map(() => new Map<number, number>())
  const entries = new WeakMap<Replica.Entry, Replica.Entry>()
  const known = new WeakMap<Partition.Partition, Partition.Partition>()

  const entryOf = (entry: Replica.Entry, number: number): Replica.Entry => {
    let made = entries.get(entry)
    if (made === undefined) {
      const isWarm = startSequence > 0 && entry.offset === 0
      const batch = isWarm ? warmBatch : batches[number]!.get(Number(entry.records[0])) ?? -1
      entries.set(entry, made = { ...entry, records: entry.records.map(() => batch) })
    }
    return made
  }

  const replicaOf = (replica: Replica.Replica, number: number): Replica.Replica => ({
    ...replica,
    log: replica.log.map((entry) => entryOf(entry, number))
  })

  const partitionOf = (partition: Partition.Partition, number: number): Partition.Partition => {
    let made = known.get(partition)
    if (made === undefined) {
      const [first, second] = partition.replicas
      made = { ...partition, replicas: [replicaOf(first, number), replicaOf(second, number)] }
      known.set(partition, made)
    }
    return made
  }

  return {
    batches,
    /** `faults` is how many may still happen, of one. */
    world: ({ broker, network, producer: { host } }: Visible, faults: number): World => ({
      producer: host.producer(),
      outcomes: numbers.map(host.outcomes),
      requests: numbers.map(network.requests),
      responses: numbers.map(network.responses),
      partitions: numbers.map((number) => partitionOf(broker.partition(number), number)),
      faults
    })
  }
}

/** Actions with which something goes wrong. */
const faults: ReadonlySet<string> = new Set([...faultKinds, "RefuseProduce"])

/** A watch over a run of these parts. */
export const make = (
  setup: Scenario.Setup,
  parts: Scenario.Parts,
  { reaching = false, watched = [] }: Asked
): Watch => {
  const configuration = configurationOf(setup)
  const invariants = Object.entries(model.invariants).filter(([name]) => watched.includes(name))
  const observer = Reach.observe(model, configuration)
  const { batches, world } = makeProjection(parts)
  const actionsTaken: Array<string> = []
  let cluster: Visible | undefined
  let faultsLeft = configuration.faultBudget
  let seen: Judgement["seen"]

  return {
    begin: (visible) => {
      cluster = visible
    },
    batched: (partition, batch, records) => {
      for (const record of records) batches[partition]!.set(Number(record), batch)
    },
    taken: ({ action, error }) => {
      if (cluster === undefined) return
      if (faults.has(action)) faultsLeft = 0
      const now = world(cluster, faultsLeft)
      if (reaching) {
        observer.stepped({ action, arguments: error === undefined ? [] : [error] }, now)
        actionsTaken.push(error === undefined ? action : `${action} ${error}`)
      }
      if (seen !== undefined) return
      const violated = invariants.find(([, holds]) => !holds(configuration, now))
      if (violated !== undefined) seen = { property: violated[0], sentence: `${action} violates ${violated[0]}` }
    },
    found: () => {
      if (!reaching) return { actionsTaken, ...(seen === undefined ? {} : { seen }) }
      const reach = observer.reach()
      return { actionsTaken, reach, actions: reach.actions, ...(seen === undefined ? {} : { seen }) }
    }
  }
}
