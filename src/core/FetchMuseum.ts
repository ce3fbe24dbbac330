/**
 * The museum of reading committed records: real bugs of real brokers and clients, each as one changed rule.
 *
 * `spec/museum` has the same exhibits as operator overrides, under the same names.
 */
import * as FetchRules from "./FetchRules.ts"

/** The rule an exhibit puts in place of another. */
export type Override = Partial<FetchRules.Rules>

export const overrides = {
  // A transaction that began before the fetched range is not listed.
  "AutoMQ-754": { IsAbortedIn: ({ first }, from, upper) => first >= from && first < upper },
  // The path of the delayed fetch builds its answer without the list.
  "KAFKA-5376": { AbortedOfParked: () => [] },
  // An abort marker without records before it takes the producer's next aborted transaction off the list.
  "librdkafka-3369": {
    AfterMarker: (filter, marker) => {
      const { dropping, queue } = FetchRules.base.AfterMarker(filter, marker)
      return marker.kind === "ABORT"
        ? { dropping, queue: queue.filter(({ producerId }) => producerId !== marker.producerId) }
        : { dropping, queue }
    }
  },
  // The list comes in the order of markers, where a transaction that encloses another stands behind it.
  "kafkajs-unsorted": { ByFirstOffset: (aborted) => aborted }
} as const satisfies Record<string, Override>

export type Name = keyof typeof overrides
