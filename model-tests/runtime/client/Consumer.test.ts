import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Metric, Result, Scope, Stream, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { Cluster } from "../../../src/runtime/brokers/index.ts"
import * as Consumer from "../../../src/runtime/client/Consumer.ts"
import * as ConsumerMetrics from "../../../src/runtime/client/ConsumerMetrics.ts"
import type { Api } from "../../../src/runtime/client/Requests.ts"
import {
  batch,
  begin,
  brokers,
  consumer,
  passing,
  polled,
  put,
  scripted,
  type Sent,
  t,
  text,
  transaction
} from "./consuming.ts"

const group = { "group.id": "g" } as const
const committed = { "isolation.level": "read_committed" } as const

describe("a consumer that is assigned partitions", () => {
  it.effect("reads them from where it is told to begin", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b")
      yield* put(0, "c")
      yield* put(1, "d")
      const reader = yield* consumer({})
      yield* reader.assign([t(0), t(1)])

      assert.sameMembers(yield* polled(reader, 4), ["a", "b", "c", "d"])
      assert.strictEqual(yield* reader.position(t(0)), 3)
      yield* put(0, "e")
      assert.deepStrictEqual(yield* polled(reader, 1), ["e"])
      assert.deepStrictEqual(yield* reader.poll, [])

      const late = yield* consumer({ "auto.offset.reset": "latest" })
      yield* late.assign([t(0)])
      assert.strictEqual(yield* late.position(t(0)), 4)
      const strict = yield* consumer({ "auto.offset.reset": "none" })
      yield* strict.assign([t(0)])
      assert.strictEqual((yield* Effect.flip(strict.poll))._tag, "NoOffsetForPartition")
    })).pipe(Effect.provide(brokers)))

  it.effect("gets no more than it asks for, in any part of a batch", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b", "c", "d")
      yield* put(0, "e", "f")
      const reader = yield* consumer({ "max.poll.records": 3 })
      yield* reader.assign([t(0)])

      const sizes: Array<number> = []
      const positions: Array<number> = []
      for (let read = 0; read < 6;) {
        const { length } = yield* reader.poll
        if (length === 0) continue
        read += length
        sizes.push(length)
        positions.push(yield* reader.position(t(0)))
      }
      assert.deepStrictEqual(sizes, [3, 3])
      assert.deepStrictEqual(positions, [3, 6])
    })).pipe(Effect.provide(brokers)))

  it.effect("goes elsewhere, and throws away what was on its way", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b", "c")
      const reader = yield* consumer({ "max.poll.records": 1 })
      yield* reader.assign([t(0)])
      assert.deepStrictEqual(yield* polled(reader, 1), ["a"])

      yield* reader.seek(t(0), 2)
      assert.deepStrictEqual(yield* polled(reader, 1), ["c"])
      yield* reader.seek(t(0), 0)
      assert.deepStrictEqual(yield* polled(reader, 1), ["a"])
      // Within a batch.
      yield* reader.seek(t(0), 1)
      assert.deepStrictEqual(yield* polled(reader, 1), ["b"])
      assert.strictEqual((yield* Effect.flip(reader.seek(t(1), 0)))._tag, "NotAssigned")
      assert.strictEqual((yield* Effect.flip(reader.position(t(1))))._tag, "NotAssigned")
    })).pipe(Effect.provide(brokers)))

  it.effect("is told that an offset is not there, or begins anew", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a")
      const strict = yield* consumer({ "auto.offset.reset": "none" })
      yield* strict.assign([t(0)])
      yield* strict.seek(t(0), 5)
      const found = yield* Effect.flip(Effect.forever(strict.poll))
      assert.deepInclude(found, { _tag: "OffsetOutOfRange", partition: t(0), offset: 5 })

      const reader = yield* consumer({})
      yield* reader.assign([t(0)])
      yield* reader.seek(t(0), 5)
      assert.deepStrictEqual(yield* polled(reader, 1), ["a"])
    })).pipe(Effect.provide(brokers)))

  it.effect("has to be given some, and topics are something else", () =>
    Effect.gen(function*() {
      const reader = yield* consumer(group)
      assert.strictEqual((yield* Effect.flip(reader.poll))._tag, "NotSubscribed")
      yield* reader.assign([t(0)])
      assert.strictEqual((yield* Effect.flip(reader.subscribe(["t"])))._tag, "SubscriptionConflict")
      const alone = yield* consumer({})
      assert.strictEqual((yield* Effect.flip(alone.subscribe(["t"])))._tag, "InvalidGroupId")
      assert.strictEqual((yield* Effect.flip(alone.commit()))._tag, "InvalidGroupId")
    }).pipe(Effect.provide(brokers)))

  it.effect("reads on where another broker leads now", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a")
      yield* put(1, "b")
      const reader = yield* consumer({})
      yield* reader.assign([t(0), t(1)])
      assert.sameMembers(yield* polled(reader, 2), ["a", "b"])

      const cluster = yield* Cluster.Cluster
      yield* cluster.stop(1)
      yield* put(0, "c")
      yield* put(1, "d")
      assert.sameMembers(yield* polled(reader, 2), ["c", "d"])
    })).pipe(Effect.provide(brokers)))
})

describe("isolation", () => {
  const written = Effect.gen(function*() {
    yield* put(0, "plain")
    yield* transaction("x", "ABORT", { 0: ["aborted"] })
    yield* transaction("y", "COMMIT", { 0: ["committed"] })
    yield* transaction("x", "COMMIT", { 0: ["again"] })
    return yield* begin("z", { 0: ["open"] })
  })

  it.effect("read_committed passes over what was aborted and waits for what is open", () =>
    passing(Effect.gen(function*() {
      const open = yield* written
      const reader = yield* consumer(committed)
      yield* reader.assign([t(0)])

      assert.deepStrictEqual(yield* polled(reader, 3), ["plain", "committed", "again"])
      assert.deepStrictEqual(yield* reader.poll, [])
      // Markers have offsets too, and are never given.
      assert.strictEqual(yield* reader.position(t(0)), 7)
      yield* open.end("COMMIT")
      assert.deepStrictEqual(yield* polled(reader, 1), ["open"])
      yield* put(0, "after")
      assert.deepStrictEqual(yield* polled(reader, 1), ["after"])
    })).pipe(Effect.provide(brokers)))

  it.effect("read_uncommitted gets everything but markers", () =>
    passing(Effect.gen(function*() {
      yield* written
      const reader = yield* consumer({})
      yield* reader.assign([t(0)])

      assert.deepStrictEqual(yield* polled(reader, 5), ["plain", "aborted", "committed", "again", "open"])
    })).pipe(Effect.provide(brokers)))

  it.effect("moves past a marker at the end of the log", () =>
    passing(Effect.gen(function*() {
      yield* transaction("x", "ABORT", { 0: ["aborted"] })
      const reader = yield* consumer(committed)
      yield* reader.assign([t(0)])

      assert.deepStrictEqual(yield* reader.poll, [])
      assert.strictEqual(yield* reader.position(t(0)), 2)
    })).pipe(Effect.provide(brokers)))
})

describe("a consumer with a group", () => {
  it.effect("goes on where the group has committed", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b")
      yield* Effect.scoped(Effect.gen(function*() {
        const first = yield* consumer({ ...group, "max.poll.records": 1 })
        yield* first.subscribe(["t"])
        assert.deepStrictEqual(yield* polled(first, 1), ["a"])
        assert.strictEqual((yield* first.assignment).length, 3)
        yield* first.commit()
        // This one is not committed.
        assert.deepStrictEqual(yield* polled(first, 1), ["b"])
      }))
      const second = yield* consumer(group)
      yield* second.subscribe(["t"])

      assert.deepStrictEqual(yield* polled(second, 1), ["b"])
      assert.deepStrictEqual(yield* second.committed([t(0), t(1)]), [
        { ...t(0), offset: 1 },
        { ...t(1), offset: 0 }
      ])
      yield* second.commit([{ ...t(1), offset: 7 }])
      assert.deepStrictEqual((yield* second.committed([t(1)])).map(({ offset }) => offset), [7])
    })).pipe(Effect.provide(brokers)))

  it.effect("commits by itself, in a poll and at the end", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b")
      yield* Effect.scoped(Effect.gen(function*() {
        const first = yield* consumer({
          ...group,
          "enable.auto.commit": true,
          "auto.commit.interval.ms": 1000,
          "max.poll.records": 1
        })
        yield* first.subscribe(["t"])
        const offset = Effect.map(first.committed([t(0)]), ([found]) => found!.offset)
        yield* polled(first, 1)
        assert.strictEqual(yield* offset, -1)
        yield* Effect.sleep(1000)
        yield* polled(first, 1)
        assert.strictEqual(yield* offset, 1)
      }))
      const second = yield* consumer(group)
      yield* second.assign([t(0)])
      assert.strictEqual(yield* second.position(t(0)), 2)
    })).pipe(Effect.provide(brokers)))

  it.effect("shares the partitions, and takes over when another leaves", () =>
    passing(Effect.gen(function*() {
      const heard: Array<string> = []
      const said = (what: string) => (partitions: ReadonlyArray<{ readonly partition: number }>) =>
        Effect.sync(() => void heard.push(`${what} ${partitions.map(({ partition }) => partition).join("")}`))
      const first = yield* consumer({ ...group, "partition.assignment.strategy": "roundrobin" })
      yield* first.subscribe(["t"], { assigned: said("assigned"), revoked: said("revoked"), lost: said("lost") })
      yield* first.poll
      const scope = yield* Scope.make()
      const second = yield* Scope.provide(consumer(group), scope)
      yield* second.subscribe(["t"])

      const until = (count: number) =>
        Effect.gen(function*() {
          while ((yield* first.assignment).length !== count) yield* first.poll
        })
      yield* Effect.all([
        until(2),
        Effect.repeat(second.poll, { until: () => Effect.map(second.assignment, (found) => found.length === 1) })
      ], { concurrency: 2 })
      assert.deepStrictEqual(
        [...(yield* first.assignment), ...(yield* second.assignment)].toSorted((a, b) => a.partition - b.partition),
        [t(0), t(1), t(2)]
      )
      yield* put(0, "a")
      yield* put(1, "b")
      yield* put(2, "c")
      const [mine, others] = yield* Effect.all([polled(first, 2), polled(second, 1)], { concurrency: 2 })
      assert.sameMembers([...mine, ...others], ["a", "b", "c"])

      yield* Scope.close(scope, Exit.void)
      yield* until(3)
      assert.deepStrictEqual(heard, ["assigned 012", "revoked 012", "assigned 02", "revoked 02", "assigned 012"])
    })).pipe(Effect.provide(brokers)))

  it.effect("is out when it does not poll, and cannot commit then", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a")
      const heard: Array<number> = []
      const slow = yield* consumer({ ...group, "max.poll.interval.ms": 10_000 })
      yield* slow.subscribe(["t"], { lost: (partitions) => Effect.sync(() => void heard.push(partitions.length)) })
      yield* polled(slow, 1)
      const metadata = yield* slow.groupMetadata
      yield* Effect.sleep(20_000)

      const quick = yield* consumer(group)
      yield* quick.subscribe(["t"])
      assert.deepStrictEqual(yield* polled(quick, 1), ["a"])
      assert.deepInclude(yield* Effect.flip(slow.commit()), { _tag: "CommitFailed", error: "UNKNOWN_MEMBER_ID" })
      // In a producer's transaction it is refused as who it was.
      assert.deepStrictEqual(yield* slow.groupMetadata, metadata)
      const rejoining = yield* Effect.forkChild(slow.poll)
      yield* Effect.repeat(quick.poll, { until: () => rejoining.pollUnsafe() !== undefined })
      assert.deepStrictEqual(heard, [3])
      assert.notDeepEqual(yield* slow.groupMetadata, metadata)
    })).pipe(Effect.provide(brokers)))

  it.effect("stays as long as its heartbeats come through", () =>
    passing(Effect.gen(function*() {
      const reader = yield* consumer(group)
      yield* reader.subscribe(["t"])
      yield* reader.poll
      const before = yield* reader.groupMetadata
      yield* Effect.sleep(200_000)
      yield* reader.poll
      yield* reader.commit()

      assert.deepStrictEqual(yield* reader.groupMetadata, before)
    })).pipe(Effect.provide(brokers)))

  it.effect("waits for a transaction that may change its offsets", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b", "c")
      const open = yield* begin("x", {})
      yield* open.commitOffset("g", 0, 2)
      const reader = yield* consumer(group)
      yield* reader.assign([t(0)])

      assert.deepStrictEqual(yield* reader.poll, [])
      assert.deepInclude(yield* Effect.flip(reader.committed([t(0)])), {
        _tag: "ApiTimeout",
        error: "UNSTABLE_OFFSET_COMMIT"
      })
      yield* open.end("COMMIT")
      assert.deepStrictEqual(yield* polled(reader, 1), ["c"])
    })).pipe(Effect.provide(brokers)))

  it.effect("goes back to what is committed, or where it began", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "old")
      const reader = yield* consumer({ ...group, "auto.offset.reset": "latest" })
      yield* reader.subscribe(["t"])
      yield* reader.poll
      yield* put(0, "a", "b")
      assert.deepStrictEqual(yield* polled(reader, 2), ["a", "b"])
      yield* reader.rewind
      assert.deepStrictEqual(yield* polled(reader, 2), ["a", "b"])
      yield* reader.commit([{ ...t(0), offset: 2 }])
      yield* reader.rewind
      assert.deepStrictEqual(yield* polled(reader, 1), ["b"])
    })).pipe(Effect.provide(brokers)))

  it.effect("finds its coordinator again", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a")
      const reader = yield* consumer(group)
      yield* reader.subscribe(["t"])
      yield* polled(reader, 1)

      const cluster = yield* Cluster.Cluster
      yield* cluster.stop(1)
      yield* reader.commit()
      assert.deepStrictEqual((yield* reader.committed([t(0)])).map(({ offset }) => offset), [1])
      yield* put(0, "b")
      assert.deepStrictEqual(yield* polled(reader, 1), ["b"])
    })).pipe(Effect.provide(brokers)))
})

describe("streams", () => {
  it.effect("give record by record", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b")
      const reader = yield* consumer({})
      yield* reader.assign([t(0)])
      const reading = yield* Effect.forkChild(Stream.runCollect(Stream.take(reader.records, 3)))
      yield* Effect.sleep(2000)
      yield* put(0, "c")

      assert.deepStrictEqual((yield* Fiber.join(reading)).map(text), ["a", "b", "c"])
    })).pipe(Effect.provide(brokers)))

  it.effect("of one partition leave the others alone, and end with it", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b")
      yield* put(1, "c", "d")
      const reader = yield* consumer({})
      yield* reader.assign([t(0), t(1)])
      const of = (partition: number) =>
        Effect.map(Stream.runCollect(Stream.take(reader.recordsOf(t(partition)), 2)), (found) => found.map(text))

      assert.deepStrictEqual(yield* of(1), ["c", "d"])
      assert.deepStrictEqual(yield* of(0), ["a", "b"])
      const both = yield* Effect.forkChild(Effect.all([of(0), of(1)], { concurrency: 2 }))
      yield* put(1, "g", "h")
      yield* put(0, "e", "f")
      assert.deepStrictEqual(yield* Fiber.join(both), [["e", "f"], ["g", "h"]])

      const last = yield* Effect.forkChild(Stream.runCollect(reader.recordsOf(t(1))))
      yield* reader.assign([t(0)])
      assert.deepStrictEqual(yield* Fiber.join(last), [])
    })).pipe(Effect.provide(brokers)))
})

describe("what brokers answer", () => {
  type Answers = Parameters<typeof scripted>[0]
  const topic: Api["Metadata"]["response"] = { brokers: [1], partitions: [{ ...t(0), error: "NONE", leader: 1 }] }
  const fetched = (over: Partial<Api["Fetch"]["response"]["results"][number]>): Api["Fetch"]["response"] => ({
    results: [{
      ...t(0),
      error: "NONE",
      highWatermark: 1,
      lastStableOffset: 1,
      abortedTransactions: [],
      batches: [],
      ...over
    }]
  })
  const one: Answers = {
    Metadata: () => topic,
    ListOffsets: () => ({ results: [{ ...t(0), error: "NONE", offset: 0 }] }),
    Fetch: () => fetched({ batches: [batch(["a"])] })
  }
  const assigned = Effect.gen(function*() {
    const reader = yield* consumer({})
    yield* reader.assign([t(0)])
    return reader
  })

  it.effect("a batch that is damaged is told, and where it is", () => {
    const damaged = batch(["a"])
    damaged[damaged.length - 1]! ^= 1
    return passing(Effect.gen(function*() {
      const reader = yield* assigned
      const found = yield* Effect.flip(polled(reader, 1))

      assert.deepInclude(found, { _tag: "InvalidRecords", partition: t(0), offset: 0 })
      assert.include(found.message, "checksum")
      assert.strictEqual(yield* reader.position(t(0)), 0)
    })).pipe(Effect.provide(scripted({ ...one, Fetch: () => fetched({ batches: [damaged] }) })))
  })

  it.effect("a refusal is told, what passes is not", () =>
    passing(Effect.gen(function*() {
      assert.deepInclude(yield* Effect.flip(polled(yield* assigned, 1)), {
        _tag: "BrokerRefused",
        api: "Fetch",
        error: "TOPIC_AUTHORIZATION_FAILED"
      })
    })).pipe(Effect.provide(scripted({ ...one, Fetch: () => fetched({ error: "TOPIC_AUTHORIZATION_FAILED" }) }))))

  it.effect("what passes by itself is asked again, after a while", () => {
    const sent: Array<Sent> = []
    let failures = 0
    const fails = <A>(answer: A, otherwise: A): A => failures++ < 3 ? otherwise : answer
    const script: Answers = {
      Metadata: () => fails<typeof topic | "disconnect">(topic, "disconnect"),
      ListOffsets: () => ({ results: [{ ...t(0), error: "NONE", offset: 0 }] }),
      Fetch: () => {
        if (failures < 5) {
          failures++
          return fetched({ error: "NOT_LEADER_OR_FOLLOWER" })
        }
        return fetched({ batches: [batch(["a"])] })
      }
    }
    return passing(Effect.gen(function*() {
      assert.deepStrictEqual(yield* polled(yield* assigned, 1), ["a"])
      const asked = sent.map(({ api }) => api)
      assert.deepStrictEqual(asked.slice(0, 4), ["Metadata", "Metadata", "Metadata", "Metadata"])
      assert.isAbove(asked.lastIndexOf("Metadata"), asked.indexOf("Fetch"))
    })).pipe(Effect.provide(scripted(script, sent)))
  })

  it.effect("a request without an answer is given up in time", () =>
    passing(Effect.gen(function*() {
      const reader = yield* consumer({ "request.timeout.ms": 1000, "default.api.timeout.ms": 5000 })
      yield* reader.assign([t(0)])
      const found = yield* Effect.flip(reader.position(t(0)))

      assert.deepInclude(found, { _tag: "ApiTimeout", error: "NETWORK_EXCEPTION" })
    })).pipe(Effect.provide(scripted({ ...one, ListOffsets: () => Effect.never }))))

  describe("in a group", () => {
    const member = { group: "g", generation: 3, member: "m" }
    const joined: Api["JoinGroup"]["response"] = {
      ...member,
      error: "NONE",
      leader: "m",
      members: [{ member: "m", topics: ["t"] }]
    }
    const grouped: Answers = {
      ...one,
      FindCoordinator: () => ({ error: "NONE", node: 1 }),
      JoinGroup: () => joined,
      SyncGroup: ({ assignments }) => ({ error: "NONE", partitions: assignments[0]!.partitions }),
      OffsetFetch: () => ({ results: [{ ...t(0), error: "NONE", offset: 0 }] }),
      OffsetCommit: () => ({ results: [{ ...t(0), error: "NONE" }] }),
      Heartbeat: () => ({ error: "NONE" }),
      LeaveGroup: () => ({ error: "NONE" })
    }
    const subscribed = Effect.gen(function*() {
      const reader = yield* consumer(group)
      yield* reader.subscribe(["t"])
      yield* polled(reader, 1)
      return reader
    })

    it.effect("offsets are always asked for with requireStable", () => {
      const sent: Array<Sent> = []
      return passing(subscribed).pipe(
        Effect.andThen(Effect.sync(() => {
          const asked = sent.filter(({ api }) => api === "OffsetFetch")
          assert.isNotEmpty(asked)
          for (const { request } of asked) assert.deepInclude(request, { requireStable: true })
        })),
        Effect.provide(scripted(grouped, sent))
      )
    })

    const refused = ["ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS"] as const
    for (const error of refused) {
      it.effect(`${error} to a commit is told, and the next poll joins again`, () => {
        const sent: Array<Sent> = []
        const joins = () => sent.filter(({ api }) => api === "JoinGroup")
        return passing(Effect.gen(function*() {
          const reader = yield* subscribed
          const before = joins().length
          assert.deepInclude(yield* Effect.flip(reader.commit()), { _tag: "CommitFailed", error })
          yield* reader.poll
          assert.strictEqual(joins().length, before + 1)
          assert.deepInclude(joins().at(-1)!.request, { member: error === "UNKNOWN_MEMBER_ID" ? "" : "m" })
        })).pipe(
          Effect.provide(scripted({ ...grouped, OffsetCommit: () => ({ results: [{ ...t(0), error }] }) }, sent))
        )
      })

      it.effect(`${error} to a heartbeat makes the next poll join again`, () => {
        let beats = 0
        const sent: Array<Sent> = []
        return passing(Effect.gen(function*() {
          const reader = yield* subscribed
          const before = sent.filter(({ api }) => api === "JoinGroup").length
          yield* Effect.sleep(4000)
          yield* reader.poll
          assert.strictEqual(sent.filter(({ api }) => api === "JoinGroup").length, before + 1)
        })).pipe(Effect.provide(scripted({
          ...grouped,
          Heartbeat: () => ({ error: beats++ === 0 ? error : "NONE" })
        }, sent)))
      })
    }

    it.effect("a refusal of heartbeats for good ends the consumer", () =>
      passing(Effect.gen(function*() {
        const reader = yield* subscribed
        yield* Effect.sleep(4000)
        assert.deepInclude(yield* Effect.flip(reader.poll), {
          _tag: "BrokerRefused",
          api: "Heartbeat",
          error: "GROUP_AUTHORIZATION_FAILED"
        })
      })).pipe(
        Effect.provide(scripted({ ...grouped, Heartbeat: () => ({ error: "GROUP_AUTHORIZATION_FAILED" }) }))
      ))

    it.effect("more partitions than were shared out make the leader join again", () => {
      const sent: Array<Sent> = []
      let isGrown = false
      const both = { ...topic, partitions: [...topic.partitions, { ...t(1), error: "NONE" as const, leader: 1 }] }
      const assignments = () =>
        sent.flatMap(({ api, request }) =>
          api === "SyncGroup" ? [(request as Api["SyncGroup"]["request"]).assignments[0]!.partitions.length] : []
        )
      return passing(Effect.gen(function*() {
        const reader = yield* consumer({ ...group, "metadata.max.age.ms": 60_000 })
        yield* reader.subscribe(["t"])
        yield* reader.poll
        isGrown = true
        yield* Effect.sleep(60_000)
        yield* reader.poll
        yield* reader.poll
        assert.deepStrictEqual(assignments(), [1, 2])
      })).pipe(Effect.provide(scripted({ ...grouped, Metadata: () => isGrown ? both : topic }, sent)))
    })

    it.effect("it leaves when its scope ends", () => {
      const sent: Array<Sent> = []
      return passing(Effect.scoped(subscribed)).pipe(
        Effect.andThen(Effect.sync(() => assert.deepInclude(sent.at(-1), { api: "LeaveGroup", request: member }))),
        Effect.andThen(TestClock.adjust("1 minute")),
        Effect.andThen(Effect.sync(() => assert.strictEqual(sent.at(-1)!.api, "LeaveGroup"))),
        Effect.provide(scripted(grouped, sent))
      )
    })
  })
})

describe("what is observed", () => {
  it.effect("polls, rebalances and commits are counted", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b", "c")
      const reader = yield* consumer({ ...group, "client.id": "counted" })
      yield* reader.subscribe(["t"])
      yield* polled(reader, 3)
      yield* reader.commit()
      const counted = (metric: Metric.Counter<number>) =>
        Effect.map(Metric.value(Metric.withAttributes(metric, { client_id: "counted" })), (found) => found.count)

      assert.strictEqual(yield* counted(ConsumerMetrics.recordsConsumed), 3)
      assert.strictEqual(yield* counted(ConsumerMetrics.rebalances), 1)
      assert.strictEqual(yield* counted(ConsumerMetrics.commits), 1)
      assert.isAbove(yield* counted(ConsumerMetrics.fetches), 0)
    })).pipe(Effect.provide(brokers)))

  it.effect("requests have spans", () => {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    return passing(Effect.gen(function*() {
      yield* put(0, "a")
      const reader = yield* consumer(group)
      yield* reader.subscribe(["t"])
      yield* polled(reader, 1)

      for (const name of ["JoinGroup", "SyncGroup", "OffsetFetch", "Fetch"]) {
        assert.include(spans.map((span) => span.name), name)
      }
    })).pipe(Effect.withTracer(tracer), Effect.provide(brokers))
  })
})

describe("layer", () => {
  it.effect("refuses what is no configuration", () =>
    Effect.gen(function*() {
      const found = yield* Effect.result(Effect.provide(
        Consumer.Consumer.use((reader) => reader.poll),
        Consumer.Consumer.layer({ "max.poll.records": 0 })
      ))
      assert.isTrue(Result.isFailure(found) && found.failure._tag === "ConfigException")
    }).pipe(Effect.provide(brokers)))
})
