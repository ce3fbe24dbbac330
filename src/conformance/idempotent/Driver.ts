/**
 * The runtime of the idempotent producer, held still.
 */
import type { Configuration } from "../../model/idempotent/Configuration.ts"
import * as Configurations from "../../model/idempotent/Configuration.ts"
import { model } from "../../model/idempotent/Model.ts"
import type { World } from "../../model/idempotent/World.ts"
import { Controlled } from "../../runtime/idempotent/index.ts"
import type { Driver } from "../Driver.ts"
import type { Call } from "../Graph.ts"

/** The action of the runtime that a call names. */
const actionOf = ({ partitions }: Configuration, { action, arguments: instance }: Call): Controlled.Action => {
  const [first, second, third] = instance
  return {
    _tag: action,
    ...(first === undefined ? {} : { partition: partitions.indexOf(first) }),
    ...(action === "ExpireBatch" ? { batch: Number(second) } : {}),
    ...(action === "HandleProduce" || action === "RefuseProduce" ? { connection: Number(second) } : {}),
    ...(action === "RefuseProduce" ? { error: third } : {})
  } as Controlled.Action
}

/** Hands over all batches at the start, as the specification has them. */
const start = (configuration: Configuration): Controlled.Controlled => {
  const controlled = Controlled.make({
    sender: configuration.sender,
    replica: configuration.replica,
    partitions: configuration.partitions.length,
    startSequence: configuration.startSequence
  })
  for (let partition = 0; partition < configuration.partitions.length; partition++) {
    for (let batch = 1; batch <= configuration.batchesPerPartition; batch++) {
      controlled.enqueue(partition, batch, Configurations.records(configuration, batch))
    }
  }
  return controlled
}

export const driver: Driver<Configuration, World> = {
  model,
  start: (configuration) => {
    const controlled = start(configuration)
    return {
      perform: (call) => controlled.perform(actionOf(configuration, call)),
      project: ({ faults }) => ({ ...controlled.snapshot(), faults }),
      close: controlled.close
    }
  }
}
