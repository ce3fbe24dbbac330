/**
 * Ways to break a correct run of `run.ts`, each with the anomalies that it brings in, and no others.
 */
import type { Anomaly } from "../../../src/conformance/judge/Anomalies.ts"
import type * as Format from "../../../src/conformance/judge/Format.ts"

type Events = ReadonlyArray<Format.Event>
type Poll = Extract<Format.Event, { readonly operation: "poll"; readonly type: "ok" }>
type Read = Poll["records"][number]
type Send = Extract<Format.Event, { readonly operation: "send" }>
type Acknowledgement = Extract<Send, { readonly type: "ok" }>

export interface Mutation {
  readonly brings: ReadonlyArray<Anomaly>
  /** The broken run; `undefined` where it has no place to be broken at. `pick` chooses among places. */
  readonly apply: (events: Events, pick: (places: number) => number) => Events | undefined
}

const isPoll = (event: Format.Event): event is Poll => event.operation === "poll" && event.type === "ok"
const isSend = (event: Format.Event): event is Send => event.operation === "send"
const isPlaced = (event: Format.Event): event is Acknowledgement & { readonly offset: number } =>
  isSend(event) && event.type === "ok" && event.offset !== undefined

const isAt = ({ offset, partition }: Read) => (other: Read): boolean =>
  other.offset === offset && other.partition === partition

const readsOf = (events: Events, isolation: Format.Isolation): ReadonlyArray<Read> =>
  events.flatMap((event) => isPoll(event) && event.isolation === isolation ? event.records : [])

/** The places where records are read by this many consumers of committed records. */
const readBy = (events: Events, readers: number): ReadonlyArray<Read> => {
  const reads = readsOf(events, "read_committed")
  return reads.filter((read) => reads.filter(isAt(read)).length === readers)
}

const without = (events: Events, read: Read, isolation?: Format.Isolation): Events =>
  events.map((event) =>
    isPoll(event) && (isolation === undefined || event.isolation === isolation)
      ? { ...event, records: event.records.filter((other) => !isAt(read)(other)) }
      : event
  )

/** A poll of a consumer that is not otherwise heard of. */
const stranger = (isolation: Format.Isolation, records: ReadonlyArray<Read>): Format.Event => (
  { type: "ok", process: "stranger", operation: "poll", isolation, records }
)

const acknowledgementAt = (events: Events, read: Read): Acknowledgement | undefined =>
  events.find((event): event is Acknowledgement & { readonly offset: number } =>
    isPlaced(event) && event.record === read.record
  )

const transactionsRead = (events: Events): ReadonlyMap<Format.Id, ReadonlyArray<Read>> => {
  const transactionOf = new Map(
    events.flatMap((event) =>
      isSend(event) && event.transaction !== undefined ? [[event.record, event.transaction] as const] : []
    )
  )
  const read = new Map<Format.Id, Array<Read>>()
  for (const one of readBy(events, 1)) {
    const transaction = transactionOf.get(one.record)
    if (transaction !== undefined) read.set(transaction, [...read.get(transaction) ?? [], one])
  }
  return read
}

/** The transactions without offsets of which `count` records or more are read, whose commit was reported. */
const committed = (events: Events, count: number): ReadonlyArray<readonly [Format.Id, ReadonlyArray<Read>]> => {
  const withOffsets = new Set(
    events.flatMap((event) => event.operation === "sendOffsets" ? [event.transaction] : [])
  )
  const reported = new Set(
    events.flatMap((event) => event.operation === "commit" && event.type === "ok" ? [event.transaction] : [])
  )
  return [...transactionsRead(events)].filter(([transaction, reads]) =>
    !withOffsets.has(transaction) && reported.has(transaction) && reads.length >= count
  )
}

const indexOf = (events: Events, operation: string, type: string, transaction: Format.Id): number =>
  events.findIndex((event) =>
    event.operation === operation && event.type === type && "transaction" in event && event.transaction === transaction
  )

const end = (events: Events, read: Read): number =>
  Math.max(
    ...events.flatMap((event) =>
      event.operation === "caughtUp"
        ? event.positions.filter(({ partition }) => partition === read.partition).map(({ offset }) => offset)
        : []
    )
  )

const chosen = <A>(places: ReadonlyArray<A>, pick: (places: number) => number): A | undefined =>
  places.length === 0 ? undefined : places[pick(places.length)]

/** Whether somebody wanted the offset committed; if nobody knows how that ended, it may be by now. */
const isWanted = (events: Events, offset: number): boolean =>
  events.some((event) =>
    event.operation === "sendOffsets" && event.offsets?.some((position) => position.offset === offset)
  )

const lastTold = (events: Events, change: (offset: number) => number): Events | undefined => {
  const index = events.findLastIndex((event) => event.operation === "fetchOffsets" && event.type === "ok")
  const event = events[index]
  if (event?.operation !== "fetchOffsets" || event.type !== "ok" || event.offsets.length === 0) return undefined
  const offsets = event.offsets.map((position) =>
    position.offset === undefined ? position : { ...position, offset: change(position.offset) }
  )
  if (offsets.every(({ offset }, position) => offset === event.offsets[position]!.offset)) return undefined
  return events.with(index, { ...event, offsets })
}

export const mutations: Readonly<Record<string, Mutation>> = {
  "one of two consumers is not given a record": {
    brings: ["skipped poll"],
    apply: (events, pick) => {
      const read = chosen(readBy(events, 2), pick)
      const index = events.findIndex((event) => isPoll(event) && read !== undefined && event.records.some(isAt(read)))
      const event = events[index]
      return read !== undefined && event !== undefined && isPoll(event)
        ? events.with(index, { ...event, records: event.records.filter((other) => !isAt(read)(other)) })
        : undefined
    }
  },
  "nobody is given an acknowledged record": {
    brings: ["lost write"],
    apply: (events, pick) => {
      const alone = readBy(events, 1).filter((read) => {
        const acknowledgement = acknowledgementAt(events, read)
        return acknowledgement !== undefined && acknowledgement.transaction === undefined
      })
      const read = chosen(alone, pick)
      return read === undefined ? undefined : without(events, read)
    }
  },
  "half of a transaction is not given to anybody, and its commit timed out": {
    brings: ["torn transaction"],
    apply: (events, pick) => {
      const place = chosen(
        committed(events, 2).filter(([, reads]) => acknowledgementAt(events, reads[0]!) !== undefined),
        pick
      )
      if (place === undefined) return undefined
      const [transaction, reads] = place
      const index = indexOf(events, "commit", "ok", transaction)
      const event = events[index]!
      return without(events, reads[0]!, "read_committed").with(index, { ...event, type: "info" } as Format.Event)
    }
  },
  "half of a committed transaction is not given to anybody": {
    brings: ["lost write", "torn transaction"],
    apply: (events, pick) => {
      const place = chosen(
        committed(events, 2).filter(([, reads]) => acknowledgementAt(events, reads[0]!) !== undefined),
        pick
      )
      return place === undefined ? undefined : without(events, place[1][0]!, "read_committed")
    }
  },
  "a record is given to a consumer again": {
    brings: ["non-monotone poll"],
    apply: (events, pick) => {
      const polls = events.flatMap((event, index) => isPoll(event) && event.records.length > 0 ? [index] : [])
      const index = chosen(polls, pick)
      if (index === undefined) return undefined
      const { isolation, process, records } = events[index] as Poll
      const read = records[pick(records.length)]!
      return events.toSpliced(index + 1, 0, { type: "ok", process, operation: "poll", isolation, records: [read] })
    }
  },
  "a record stands at the end of the log again": {
    brings: ["duplicate"],
    apply: (events, pick) => {
      const read = chosen(readsOf(events, "read_committed"), pick)
      if (read === undefined) return undefined
      return [...events, stranger("read_committed", [{ ...read, offset: end(events, read) + 1 }])]
    }
  },
  "two records of one producer change places": {
    brings: ["reordering"],
    apply: (events, pick) => {
      const processOf = new Map(events.flatMap((event) => isPlaced(event) ? [[event.record, event] as const] : []))
      const reads = readsOf(events, "read_committed")
      const pairs = reads.flatMap((read) => {
        const own = processOf.get(read.record)
        return reads.filter((other) => {
          const its = processOf.get(other.record)
          return read.offset < other.offset && read.partition === other.partition && own !== undefined
            && its !== undefined
            && own.process === its.process && own.transaction === undefined && its.transaction === undefined
            && reads.filter(isAt(read)).length === reads.filter(isAt(other)).length
        }).map((other) => [read, other] as const)
      })
      const pair = chosen(pairs, pick)
      if (pair === undefined) return undefined
      const [one, other] = pair
      const renamed = (record: Format.Id): Format.Id =>
        record === one.record ? other.record : record === other.record ? one.record : record
      // Whoever reads them does so when both were sent.
      const sent = events.findIndex((event) => isSend(event) && event.record === other.record)
      const early = events.some((event, index) =>
        index < sent && isPoll(event) && event.records.some((read) => isAt(one)(read))
      )
      if (early) return undefined
      return events.map((event) => {
        if (isPoll(event)) {
          return { ...event, records: event.records.map((read) => ({ ...read, record: renamed(read.record) })) }
        }
        if (!isPlaced(event)) return event
        if (event.record === one.record) return { ...event, offset: other.offset }
        return event.record === other.record ? { ...event, offset: one.offset } : event
      })
    }
  },
  "a transaction that was committed is reported to be aborted": {
    brings: ["aborted read"],
    apply: (events, pick) => {
      const place = chosen(committed(events, 1), pick)
      if (place === undefined) return undefined
      return events.map((event) =>
        event.operation === "commit" && event.transaction === place[0]
          ? { ...event, operation: "abort" } as Format.Event
          : event
      )
    }
  },
  "a record is read before its commit is called": {
    brings: ["read beyond stable"],
    apply: (events, pick) => {
      const place = chosen(committed(events, 1), pick)
      if (place === undefined) return undefined
      const [transaction, reads] = place
      return events.toSpliced(
        indexOf(events, "commit", "invoke", transaction),
        0,
        stranger("read_committed", [reads[0]!])
      )
    }
  },
  "what a zombie sends is acknowledged": {
    brings: ["zombie success"],
    apply: (events, pick) => {
      const refused = events.flatMap((event, index) =>
        isSend(event) && event.type === "fail" && event.transaction !== undefined ? [index] : []
      )
      const index = chosen(refused, pick)
      if (index === undefined) return undefined
      const { error: _, ...event } = events[index] as Extract<Send, { readonly type: "fail" | "info" }>
      return events.with(index, { ...event, type: "ok" })
    }
  },
  "a record is acknowledged at another offset": {
    brings: ["inconsistent offsets"],
    apply: (events, pick) => {
      const read = chosen(readsOf(events, "read_committed").filter((one) => acknowledgementAt(events, one)), pick)
      if (read === undefined) return undefined
      return events.map((event) =>
        isPlaced(event) && event.record === read.record ? { ...event, offset: end(events, read) + 1 } : event
      )
    }
  },
  "the group is told less than was committed": {
    brings: ["output ahead of offset"],
    apply: (events) => lastTold(events, (offset) => isWanted(events, offset - 1) ? offset : offset - 1)
  },
  "the group is told more than anybody wanted": {
    brings: ["offset ahead of output"],
    apply: (events) => lastTold(events, (offset) => offset + 100)
  }
}
