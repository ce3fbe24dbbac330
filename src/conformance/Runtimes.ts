/**
 * The runtimes there are: what of a model can be replayed on Effect fibers, and thrown histories at.
 */
import type { Configured } from "../model/Model.ts"
import { configurationOf } from "../model/Model.ts"
import * as Campaign from "./Campaign.ts"
import type { Driver } from "./Driver.ts"
import * as ExternalSink from "./externalSink/index.ts"
import type { Graph } from "./Graph.ts"
import * as Histories from "./Histories.ts"
import * as Idempotent from "./idempotent/index.ts"
import * as ReadCommitted from "./readCommitted/index.ts"
import type { Result } from "./Replay.ts"
import * as RuntimeReplay from "./RuntimeReplay.ts"
import * as Transactions from "./transactions/index.ts"

/** The runtime of one configuration. */
export interface Runtime {
  readonly replay: (
    graph: Graph,
    onProgress?: (edges: number) => void
  ) => Result & { readonly steps: number }
  /** Absent where there is no trial of the runtime. */
  readonly histories?: (options: Histories.Options) => Histories.Explored
  /** The same trial, for campaigns; with every kind of fault there is, or with those of the configuration. */
  readonly campaign?: (everyFault: boolean) => Campaign.Campaign
}

const runtime = <Configuration, World, Scenario extends Histories.Simulated>(
  driver: Driver<Configuration, World>,
  trial?: (configuration: Configuration, everyFault?: boolean) => Histories.Trial<Scenario>
) =>
(configured: Configured): Runtime | undefined => {
  const configuration = configurationOf(driver.model, configured)
  if (configuration === undefined) return undefined
  return {
    replay: (graph, onProgress) =>
      RuntimeReplay.replay({ driver, configuration, graph, ...(onProgress === undefined ? {} : { onProgress }) }),
    ...(trial === undefined
      ? {}
      : {
        histories: (options: Histories.Options) => Histories.explore(trial(configuration), options),
        campaign: (everyFault: boolean) => Campaign.of(trial(configuration, everyFault))
      })
  }
}

const runtimes = [
  runtime(Idempotent.driver, Idempotent.trial),
  runtime(Transactions.driver, Transactions.trial),
  runtime(ReadCommitted.driver, ReadCommitted.trial),
  runtime(ExternalSink.driver)
]

/** The runtime of a configuration, unless its model has none. */
export const of = (configured: Configured): Runtime | undefined => {
  for (const find of runtimes) {
    const found = find(configured)
    if (found !== undefined) return found
  }
  return undefined
}
