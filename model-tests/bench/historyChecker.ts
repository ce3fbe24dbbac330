/**
 * Speed and memory of the history checker on a correct run of a given size.
 *
 * It shows what judging costs, generating the history included; it says nothing about the cost of recording one.
 */
import type * as History from "../../src/conformance/History.ts"
import * as HistoryChecker from "../../src/conformance/HistoryChecker.ts"
import * as Judging from "./judging.ts"

interface Written {
  readonly offset: number
  readonly record: number
}

interface Consumer {
  readonly number: number
  readonly unread: Array<Written>
}

interface Partition {
  readonly name: string
  readonly tellsOffset: boolean
  readonly consumers: ReadonlyArray<Consumer>
  inFlight: Array<number>
  session: number
  nextOffset: number
}

const PARTITIONS = 16
const IN_FLIGHT = 5
const READ_BEHIND = 64

/** Integers below `bound` from a 32-bit seed (mulberry32). */
const randomBelow = (seed: number): (bound: number) => number => {
  let state = seed | 0
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}

/**
 * A correct run of `operations` records over 16 partitions, read to the end by three consumers for every two partitions.
 *
 * It has everything a correct run may have: refusals, unknown outcomes with and without effect, acknowledgements without
 * an offset, offsets that hold no record, crashes whose open records are sent again in the next session. The same
 * arguments give the same events; memory does not grow with `operations`.
 */
export function* generate(operations: number, seed: number): Generator<History.Event, void> {
  const random = randomBelow(seed)
  const partitions = Array.from({ length: Math.min(PARTITIONS, operations) }, (_, number): Partition => ({
    name: `orders-${number}`,
    tellsOffset: number % 4 !== 3,
    consumers: (number % 2 === 0 ? [0] : [0, 1]).map((consumer) => ({ number: consumer, unread: [] })),
    inFlight: [],
    session: 0,
    nextOffset: 0
  }))

  function* settle(partition: Partition): Generator<History.Event, void> {
    const record = partition.inFlight.shift()
    if (record === undefined) return
    const luck = random(100)
    if (luck === 0) return yield { _tag: "Failed", record }
    if (luck === 1) return yield { _tag: "Unknown", record }
    const offset = partition.nextOffset
    partition.nextOffset += random(100) === 0 ? 2 : 1
    for (const { unread } of partition.consumers) unread.push({ offset, record })
    if (luck === 2) yield { _tag: "Unknown", record }
    else yield { _tag: "Acknowledged", record, offset: partition.tellsOffset ? offset : -1 }
  }

  function* readAll(partition: Partition): Generator<History.Event, void> {
    for (const { number, unread } of partition.consumers) {
      for (const { offset, record } of unread) {
        yield { _tag: "Read", consumer: number, partition: partition.name, offset, record }
      }
      unread.length = 0
    }
  }

  for (let record = 0; record < operations; record++) {
    const partition = partitions[record % partitions.length]!
    if (random(1_000) === 0) {
      partition.session += 1
      for (const open of partition.inFlight) {
        yield { _tag: "Send", record: open, partition: partition.name, session: partition.session }
      }
    }
    yield { _tag: "Send", record, partition: partition.name, session: partition.session }
    partition.inFlight.push(record)
    while (partition.inFlight.length > random(IN_FLIGHT)) yield* settle(partition)
    if (random(READ_BEHIND) === 0) yield* readAll(partition)
  }
  for (const partition of partitions) {
    while (partition.inFlight.length > 0) yield* settle(partition)
    yield* readAll(partition)
    for (const { number } of partition.consumers) {
      yield { _tag: "End", consumer: number, partition: partition.name, offset: partition.nextOffset }
    }
  }
}

/** Judges a generated run of `operations` records; throws if the checker finds anything wrong with it. */
export const measure = (operations: number): Judging.Measurement =>
  Judging.measure(
    operations,
    generate(operations, 1),
    HistoryChecker.make,
    (verdict) =>
      verdict._tag === "Malformed" || HistoryChecker.properties.some((name) => verdict[name].value !== "holds")
        ? HistoryChecker.summarize(verdict)
        : undefined
  )
