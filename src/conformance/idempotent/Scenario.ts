/**
 * A scenario: what an application sends and when, and what goes wrong meanwhile; with the seed of the network it is
 * everything that a run depends on.
 *
 * Times are virtual milliseconds from the beginning of the run. The sizes are chosen so that requests, faults and
 * retries of 60 records on three partitions meet: a send every few milliseconds, answers after tens, late requests after
 * hundreds.
 */
import * as fc from "fast-check"
import { Limits, type Replica, type Sender } from "../../core/index.ts"
import type { Configuration, FaultKind } from "../../model/idempotent/Configuration.ts"
import { faultKinds as allFaultKinds } from "../../model/idempotent/Configuration.ts"

/** Most records of a scenario, and its partitions. */
export const maxRecords = 60
export const partitions = ["p0", "p1", "p2"] as const

/** Under which rules and configs scenarios run, and what may go wrong in them. */
export interface Setup {
  readonly sender: Sender.Config
  readonly replica: Replica.Context
  readonly faultKinds: ReadonlySet<FaultKind>
  /** First sequences to choose from; above 0 one record of every partition is in the log already. */
  readonly startSequences: ReadonlyArray<number>
}

/** From here a partition's share of a scenario's records crosses the last sequence number. */
const nearTheWrap = Limits.kafka.maxSequence - 8

/** `max.in.flight.requests.per.connection` where a configuration of the specification scales it down. */
const inFlight = 5

/**
 * The setup of a configuration of the specification, at Kafka's own sizes. Its runs begin at 0 or near the wrap, whatever
 * the configuration says; but where leaders forget producers, only as it says, because to such a leader the 0 after the
 * wrap is a first sequence, which is a gap of its own.
 */
export const setupOf = ({ faultKinds, replica, sender, startSequence }: Configuration): Setup => ({
  sender: { ...sender, limits: Limits.kafka, maxInFlight: sender.maxInFlight === 1 ? 1 : inFlight },
  replica: { ...replica, limits: Limits.kafka },
  faultKinds,
  startSequences: faultKinds.has("ExpireProducerState")
    ? [startSequence === 0 ? 0 : nearTheWrap]
    : [0, nearTheWrap]
})

/** The setup of a configuration, but with every kind of fault there is. */
export const everything = (configuration: Configuration): Setup => ({
  ...setupOf(configuration),
  faultKinds: new Set(allFaultKinds),
  startSequences: [0, nearTheWrap]
})

/** The application hands over records one after the other. */
export interface Sending {
  readonly at: number
  /** Partition number. */
  readonly partition: number
  /** How many. */
  readonly records: number
}

/** A fault that is brought about; a batch expires by `deliveryTimeout` instead. */
export interface Fault {
  readonly at: number
  readonly kind: Exclude<FaultKind, "ExpireBatch">
  /** Partition number; without meaning for `RestartProducer`. */
  readonly partition: number
}

/**
 * Trouble with a whole broker, or with the way to a leader: a broker crashes or restarts with all that it leads; for a
 * while nothing gets through, or everything is slow. The last two take nothing from anybody but time.
 */
export interface Outage {
  readonly at: number
  readonly kind: "CrashBroker" | "RestartBroker" | "Isolate" | "Slow"
  /** The number of a partition; where a broker is meant, that of the broker less 1. */
  readonly target: number
  /** In milliseconds; without meaning for a broker. */
  readonly duration: number
}

/** What a scenario is made of. */
export interface Parts {
  /** Of the network's delays and of the order in which ready fibers continue. */
  readonly seed: number
  /** The first sequence. */
  readonly startSequence: number
  /** `batch.size`, in records. */
  readonly batchSize: number
  /** `linger.ms`. */
  readonly linger: number
  /** `delivery.timeout.ms`. */
  readonly deliveryTimeout: number
  /** `request.timeout.ms`. */
  readonly requestTimeout: number
  /** Longest time that a request or an answer is on the way while its connection is open. */
  readonly slowestMessage: number
  /** Longest time in which a follower fetches. */
  readonly slowestFetch: number
  /** How late a request on a closed connection may be. */
  readonly late: number
  /** In the order of time. */
  readonly sendings: ReadonlyArray<Sending>
  /** In the order of time. */
  readonly faults: ReadonlyArray<Fault>
  /** In the order of time. */
  readonly outages: ReadonlyArray<Outage>
  /** When the application ends for good, with whatever it has not heard of yet. */
  readonly stop: number | undefined
}

/** Parts with a text. */
export class Scenario {
  readonly parts: Parts

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** The scenario in words, one line per event. */
  toString(): string {
    const { faults, outages, sendings, stop } = this.parts
    const events = [
      ...sendings.map(({ at, partition, records }) => ({
        at,
        text: `send ${records} record${records === 1 ? "" : "s"} to ${partitions[partition]}`
      })),
      ...faults.map(({ at, kind, partition }) => ({
        at,
        text: kind === "RestartProducer" ? kind : `${kind}(${partitions[partition]})`
      })),
      ...outages.map((outage) => ({ at: outage.at, text: textOf(outage) })),
      ...(stop === undefined ? [] : [{ at: stop, text: "the application ends" }])
    ].toSorted((a, b) => a.at - b.at)
    return [this.#conditions(), ...events.map(({ at, text }) => `${String(at).padStart(5)} ms  ${text}`)].join("\n")
  }

  #conditions(): string {
    const { batchSize, deliveryTimeout, late, linger, requestTimeout, seed, startSequence } = this.parts
    const { slowestFetch, slowestMessage } = this.parts
    return `network seed ${seed}, first sequence ${startSequence}, batch size ${batchSize}, linger ${linger} ms, `
      + `request timeout ${requestTimeout} ms, delivery timeout ${deliveryTimeout} ms, `
      + `messages within ${slowestMessage} ms, fetches within ${slowestFetch} ms, requests late by up to ${late} ms`
  }
}

const textOf = ({ duration, kind, target }: Outage): string =>
  kind === "CrashBroker" || kind === "RestartBroker"
    ? `${kind}(${target + 1})`
    : `${kind}(${partitions[target]}) for ${duration} ms`

const never = 30_000

/** Keeps as many sendings as the record limit allows. */
const withinLimit = (sendings: ReadonlyArray<Sending>): ReadonlyArray<Sending> => {
  const kept: Array<Sending> = []
  let left = maxRecords
  for (const sending of sendings) {
    const records = Math.min(sending.records, left)
    if (records === 0) break
    kept.push({ ...sending, records })
    left -= records
  }
  return kept
}

const byTime = <A extends { readonly at: number }>(list: ReadonlyArray<A>): ReadonlyArray<A> =>
  list.toSorted((a, b) => a.at - b.at)

/** Times stay as they are when a scenario shrinks: moved, everything would meet differently. */
const time = (most: number): fc.Arbitrary<number> => fc.noShrink(fc.nat(most))

/** Parts of one or of several scenarios as one that makes sense. */
export const of = ({ faultKinds }: Setup, parts: Parts): Scenario => {
  const sendings = withinLimit(byTime(parts.sendings))
  const isAllowed = ({ kind }: Outage): boolean =>
    (kind !== "CrashBroker" || faultKinds.has("LeaderChange"))
    && (kind !== "RestartBroker" || faultKinds.has("RestartLeader"))
  return new Scenario({
    ...parts,
    sendings,
    faults: byTime(parts.faults),
    outages: byTime(parts.outages.filter(isAllowed)),
    // An application that ends before it has sent anything shows nothing.
    stop: parts.stop === undefined ? undefined : Math.max(parts.stop, (sendings[0]?.at ?? 0) + 1)
  })
}

/** Scenarios for a setup. What is sent and what goes wrong shrinks before anything else; the network seed does not. */
export const arbitrary = (setup: Setup): fc.Arbitrary<Scenario> => {
  const { faultKinds, startSequences } = setup
  const kinds = [...faultKinds].filter((kind) => kind !== "ExpireBatch")
  const partition = fc.noShrink(fc.nat(partitions.length - 1))
  const sending = fc.record({ at: time(300), partition, records: fc.integer({ min: 1, max: 6 }) })
  const fault = (): fc.Arbitrary<Fault> =>
    fc.record({ at: time(400), kind: fc.noShrink(fc.constantFrom(...kinds)), partition })
  const outage: fc.Arbitrary<Outage> = fc.record({
    at: time(400),
    kind: fc.noShrink(fc.constantFrom("CrashBroker", "RestartBroker", "Isolate", "Slow")),
    target: partition,
    duration: fc.constantFrom(50, 300, 1_000)
  })
  return fc.record({
    sendings: fc.array(sending, { minLength: 1, maxLength: 24, size: "max" }),
    faults: kinds.length === 0 ? fc.constant([]) : fc.array(fault(), { maxLength: 10, size: "max" }),
    stop: fc.oneof(
      { withCrossShrink: true },
      { weight: 3, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: time(500) }
    ),
    seed: fc.noShrink(fc.noBias(fc.nat(0x7fffffff))),
    startSequence: fc.constantFrom(...startSequences),
    batchSize: fc.integer({ min: 1, max: 4 }),
    linger: fc.constantFrom(0, 5, 10),
    deliveryTimeout: faultKinds.has("ExpireBatch") ? fc.constantFrom(2_000, 500, 200, 100) : fc.constant(never),
    requestTimeout: faultKinds.has("Disconnect") ? fc.constantFrom(1_000, 300, 100) : fc.constant(never),
    slowestMessage: fc.constantFrom(10, 60),
    slowestFetch: fc.constantFrom(20, 100, 400),
    late: fc.constantFrom(50, 400, 2_000),
    outages: fc.oneof(
      { withCrossShrink: true },
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(outage, { maxLength: 3, size: "max" }) }
    )
  }).map((parts) => of(setup, parts))
}
