import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Transaction } from "../../../src/core/index.ts"
import { Connection } from "../../../src/runtime/remote/index.ts"
import { Naming, Server, Versions } from "../../../src/runtime/server/index.ts"
import { Messages } from "../../../src/wire/index.ts"
import * as Probe from "./probe.ts"

/** From `ApiKeys` of Kafka 4.4.0; of Produce 0 to 2 are said to be there, too (KAFKA-18659). */
const kafka: Readonly<Record<Versions.Name, string>> = {
  Produce: "0-13",
  Fetch: "4-18",
  ListOffsets: "1-11",
  Metadata: "0-13",
  OffsetCommit: "2-10",
  OffsetFetch: "1-10",
  FindCoordinator: "0-6",
  JoinGroup: "0-9",
  Heartbeat: "0-4",
  LeaveGroup: "0-5",
  SyncGroup: "0-5",
  ApiVersions: "0-5",
  CreateTopics: "2-7",
  DeleteTopics: "1-6",
  InitProducerId: "0-5",
  AddPartitionsToTxn: "0-5",
  AddOffsetsToTxn: "0-4",
  EndTxn: "0-5",
  WriteTxnMarkers: "1-2",
  TxnOffsetCommit: "0-6",
  DeleteGroups: "0-3",
  DescribeProducers: "0-0",
  DescribeTransactions: "0-0",
  ListTransactions: "0-2"
}

/** The id of the topic; there is one. */
const topicId = (probe: Probe.Probe) =>
  Effect.map(
    probe.request(Messages.Metadata, 12, { topics: [{ name: "t" }] }),
    ({ topics }) => topics[0]!.topicId
  )

type Asked = Effect.Effect<ReadonlyArray<number>, Connection.ConnectionError>

/** Error codes of an answer that is good in each version. */
const ask: { readonly [Name in Versions.Name]: (probe: Probe.Probe, version: number) => Asked } = {
  Produce: Effect.fnUntraced(function*({ request, ...probe }, version) {
    const topic = version >= 13 ? { topicId: yield* topicId({ request, ...probe }) } : { name: "t" }
    const { responses } = yield* request(Messages.Produce, version, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ ...topic, partitionData: [{ index: 0, records: Probe.batch({}) }] }]
    })
    return responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode))
  }),
  Fetch: Effect.fnUntraced(function*({ request, ...probe }, version) {
    const topic = version >= 13 ? { topicId: yield* topicId({ request, ...probe }) } : { topic: "t" }
    const { errorCode, responses } = yield* request(Messages.Fetch, version, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1000,
      topics: [{ ...topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    })
    return [errorCode, ...responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))]
  }),
  ListOffsets: (probe, version) =>
    Effect.map(
      probe.offsetOf(["t", 0], -1, "read_uncommitted", version),
      (offset) => [typeof offset === "number" && offset >= 0 ? 0 : 1]
    ),
  Metadata: ({ request }, version) =>
    Effect.map(
      request(Messages.Metadata, version, { topics: [{ name: "t" }] }),
      ({ topics }) => topics.flatMap(({ errorCode, partitions }) => [errorCode, ...partitions.map((p) => p.errorCode)])
    ),
  OffsetCommit: Effect.fnUntraced(function*({ request, ...probe }, version) {
    const topic = version >= 10 ? { topicId: yield* topicId({ request, ...probe }) } : { name: "t" }
    const { topics } = yield* request(Messages.OffsetCommit, version, {
      groupId: "simple",
      topics: [{ ...topic, partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: "note" }] }]
    })
    return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  }),
  OffsetFetch: Effect.fnUntraced(function*({ request, ...probe }, version) {
    yield* probe.commit("simple", ["t", 0], 3)
    const id = yield* topicId({ request, ...probe })
    const answer = yield* request(
      Messages.OffsetFetch,
      version,
      version < 8
        ? { groupId: "simple", topics: [{ name: "t", partitionIndexes: [0] }] }
        : {
          groups: [{
            groupId: "simple",
            topics: [{ ...(version >= 10 ? { topicId: id } : { name: "t" }), partitionIndexes: [0] }]
          }]
        }
    )
    const topics = version < 8 ? answer.topics : answer.groups[0]!.topics
    return topics.flatMap(({ partitions }) =>
      partitions.map(({ committedOffset, errorCode }) => committedOffset === 3 ? errorCode : 1)
    )
  }),
  FindCoordinator: Effect.fnUntraced(function*({ connection: { address }, request }, version) {
    const answer = yield* request(
      Messages.FindCoordinator,
      version,
      version >= 4 ? { coordinatorKeys: ["g", "h"] } : { key: "g" }
    )
    const found = version >= 4 ? answer.coordinators : [answer]
    return found.map(({ errorCode, host, nodeId, port }) =>
      nodeId === 1 && host === address.host && port === address.port ? errorCode : 1
    )
  }),
  JoinGroup: ({ request }, version) =>
    Effect.map(join(request, `join ${version}`, version), ({ errorCode }) => [errorCode]),
  Heartbeat: Effect.fnUntraced(function*({ request }, version) {
    const { generationId, groupId, memberId } = yield* synced(request, `heartbeat ${version}`)
    const { errorCode } = yield* request(Messages.Heartbeat, version, { groupId, generationId, memberId })
    return [errorCode]
  }),
  LeaveGroup: Effect.fnUntraced(function*({ request }, version) {
    const { groupId, memberId } = yield* synced(request, `leave ${version}`)
    const { errorCode, members } = yield* request(
      Messages.LeaveGroup,
      version,
      version >= 3 ? { groupId, members: [{ memberId }] } : { groupId, memberId }
    )
    return [errorCode, ...members.map(({ errorCode }) => errorCode)]
  }),
  SyncGroup: Effect.fnUntraced(function*({ request }, version) {
    const { generationId, groupId, memberId } = yield* joined(request, `sync ${version}`)
    const assigned = Uint8Array.of(1, 2, 3)
    const { assignment, errorCode } = yield* request(Messages.SyncGroup, version, {
      groupId,
      generationId,
      memberId,
      assignments: [{ memberId, assignment: assigned }],
      ...(version >= 5 ? { protocolType: "consumer", protocolName: "range" } : {})
    })
    return [errorCode, Buffer.compare(assignment, assigned)]
  }),
  ApiVersions: Effect.fnUntraced(function*({ request }, version) {
    const { apiKeys, errorCode } = yield* request(
      Messages.ApiVersions,
      version,
      version >= 3 ? { clientSoftwareName: "keos", clientSoftwareVersion: "1" } : {}
    )
    return [errorCode, Object.keys(kafka).length - apiKeys.length]
  }),
  CreateTopics: (probe, version) =>
    Effect.map(probe.create(`created-${version}`, 1, version), (error) => [error === "NONE" ? 0 : 1]),
  DeleteTopics: Effect.fnUntraced(function*({ create, request }, version) {
    const name = `deleted-${version}`
    yield* create(name, 1)
    const { responses } = yield* request(Messages.DeleteTopics, version, {
      ...(version >= 6 ? { topics: [{ name, topicId: Naming.noId }] } : { topicNames: [name] }),
      timeoutMs: 1000
    })
    return responses.map(({ errorCode }) => errorCode)
  }),
  InitProducerId: ({ init }, version) =>
    Effect.map(init("x", Probe.nobody, { version }), ({ error }) => [error === "NONE" ? 0 : 1]),
  AddPartitionsToTxn: Effect.fnUntraced(function*({ add, init }, version) {
    const errors = yield* add("x", yield* init("x"), [["t", 0]], version)
    return errors.map((error) => error === "NONE" ? 0 : 1)
  }),
  AddOffsetsToTxn: Effect.fnUntraced(function*({ addOffsets, init }, version) {
    return [(yield* addOffsets("x", yield* init("x"), "g", version)) === "NONE" ? 0 : 1]
  }),
  EndTxn: Effect.fnUntraced(function*({ add, end, init }, version) {
    const identity = yield* init("x")
    yield* add("x", identity, [["t", 0]])
    const { error, producerId } = yield* end("x", identity, "COMMIT", version)
    // The identity to go on with is in the last version only.
    return [error === "NONE" ? 0 : 1, producerId === (version >= 5 ? identity.producerId : -1) ? 0 : 1]
  }),
  WriteTxnMarkers: ({ mark }, version) =>
    Effect.map(
      mark(["t", 0], { producerId: 4321, producerEpoch: 0 }, "COMMIT", { version }),
      (error) => [error === "NONE" ? 0 : 1]
    ),
  TxnOffsetCommit: Effect.fnUntraced(function*(probe, version) {
    const identity = yield* probe.init("x")
    yield* probe.addOffsets("x", identity, "g")
    const id = yield* topicId(probe)
    const { topics } = yield* probe.request(Messages.TxnOffsetCommit, version, {
      transactionalId: "x",
      groupId: "g",
      producerId: identity.producerId,
      producerEpoch: identity.producerEpoch,
      topics: [{
        ...(version >= 6 ? { topicId: id } : { name: "t" }),
        partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }]
      }]
    })
    return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  }),
  DeleteGroups: Effect.fnUntraced(function*({ commit, request }, version) {
    yield* commit("simple", ["t", 0], 3)
    const { results } = yield* request(Messages.DeleteGroups, version, { groupsNames: ["simple"] })
    return results.map(({ errorCode }) => errorCode)
  }),
  DescribeProducers: ({ producers }) => Effect.map(producers(["t", 0]), ({ error }) => [error === "NONE" ? 0 : 1]),
  DescribeTransactions: Effect.fnUntraced(function*({ describe, init }) {
    yield* init("x")
    return [(yield* describe("x")).error === "NONE" ? 0 : 1]
  }),
  ListTransactions: Effect.fnUntraced(function*({ init, request }, version) {
    yield* init("x")
    const { errorCode, transactionStates } = yield* request(Messages.ListTransactions, version, {
      stateFilters: [],
      producerIdFilters: []
    })
    return [errorCode, transactionStates.length - 1]
  })
}

type Request = Probe.Probe["request"]

const join = (request: Request, groupId: string, version: number, memberId = "") =>
  Effect.gen(function*() {
    const ask = (memberId: string) =>
      request(Messages.JoinGroup, version, {
        groupId,
        sessionTimeoutMs: 10_000,
        ...(version >= 1 ? { rebalanceTimeoutMs: 1000 } : {}),
        memberId,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: Uint8Array.of(1) }]
      })
    const first = yield* ask(memberId)
    return Probe.nameOf(first.errorCode) === "MEMBER_ID_REQUIRED" ? yield* ask(first.memberId) : first
  })

const joined = (request: Request, groupId: string) =>
  Effect.map(join(request, groupId, 5), ({ generationId, memberId }) => ({ groupId, generationId, memberId }))

const synced = Effect.fnUntraced(function*(request: Request, groupId: string) {
  const member = yield* joined(request, groupId)
  yield* request(Messages.SyncGroup, 3, { ...member, assignments: [] })
  return member
})

describe("every version", () => {
  it("is one of Kafka's", () => {
    const advertised = Object.fromEntries(
      Object.keys(Versions.served).map((name) => [name, Versions.advertised(name as Versions.Name).join("-")])
    )

    assert.deepStrictEqual(advertised, kafka)
  })

  for (const name of Object.keys(kafka) as ReadonlyArray<Versions.Name>) {
    const [first, last] = Versions.served[name]
    it.live(`of ${name}, ${first} to ${last}, is answered`, () =>
      Effect.gen(function*() {
        for (let version = first; version <= last; version++) {
          const server = yield* Server.make({ topics: { t: 2 } })
          const codes = yield* ask[name](Probe.make(yield* Connection.connect(server)), version)

          assert.isAbove(codes.length, 0, `version ${version}`)
          assert.deepStrictEqual(codes, codes.map(() => 0), `version ${version}`)
        }
      }))
  }
})

describe("the transaction.version", () => {
  for (const level of [1, 2] as const satisfies ReadonlyArray<Transaction.Version>) {
    it.live(`${level} is a feature`, () =>
      Effect.gen(function*() {
        const { request } = yield* Connection.connect(yield* Server.make({ transactionVersion: level }))
        const who = { clientSoftwareName: "keos", clientSoftwareVersion: "1" }
        const [three, four] = [
          yield* request(Messages.ApiVersions, 3, who),
          yield* request(Messages.ApiVersions, 4, who)
        ]

        const name = "transaction.version"
        assert.deepStrictEqual(three.finalizedFeatures, [{ name, maxVersionLevel: level, minVersionLevel: level }])
        assert.deepStrictEqual(four.finalizedFeatures, three.finalizedFeatures)
        // KIP-1022: who asks in version 3 does not understand features that begin at 0.
        assert.deepStrictEqual(three.supportedFeatures, [])
        assert.deepStrictEqual(four.supportedFeatures, [{ name, minVersion: 0, maxVersion: 2 }])
      }))
  }
})
