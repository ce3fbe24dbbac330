import { assert, describe, it } from "@effect/vitest"
import * as platformatic from "@platformatic/kafka"
import { Result } from "effect"
import * as fc from "fast-check"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { Definition, Message, Messages, RecordBatch } from "../../../src/wire/index.ts"
import * as support from "./support.ts"

type Values = support.Values
type Api = Definition.Api

const apis = Messages.apis as ReadonlyArray<Api>
const NUM_RUNS = 25
const ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA"

/** How a client has the values of a type, and what it calls fields where that is not Kafka's name of today. */
interface Dialect {
  readonly int64: (value: number) => unknown
  readonly uuid: (value: string) => unknown
  readonly names: Readonly<Record<string, ReadonlyArray<string>>>
}

const say = (dialect: Dialect, value: unknown, field: Definition.Field): unknown => {
  if (value === null || value === undefined) return value
  if (Array.isArray(value)) return value.map((one) => say(dialect, one, { ...field, type: field.type.slice(2) }))
  if (field.fields !== undefined) return saying(dialect, value as Values, field.fields)
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (field.type === "int64") return dialect.int64(value as number)
  return field.type === "uuid" ? dialect.uuid(value as string) : value
}

/** A message as the client would have it, with all the names that a field has. */
const saying = (dialect: Dialect, message: Values, fields: Definition.Fields): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      // Tagged fields are left out.
      const value = field.tag === undefined ? say(dialect, message[name], field) : undefined
      return [name, ...dialect.names[name] ?? []].map((one) => [one, value])
    })
  )

/** What clients fill in for fields that a version does not have. */
const fillings: ReadonlyArray<string> = [
  "",
  "0",
  "-1",
  "-2147483648",
  "false",
  "null",
  "undefined",
  ZERO_UUID,
  "00000000-0000-0000-0000-000000000000"
]

/** Every value but such, as texts in order: clients have other names and other places for them. */
const leaves = (value: unknown): ReadonlyArray<string> => {
  if (value instanceof Uint8Array) return value.length === 0 ? [] : [Buffer.from(value).toString("base64")]
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(leaves).toSorted()
  return fillings.includes(String(value)) ? [] : [String(value)]
}

const presentOnly = (message: Values, fields: Definition.Fields, version: number): Values =>
  Object.fromEntries(
    Object.entries(fields).filter(([, field]) => Definition.isPresent(field, version)).map(([name, field]) => {
      const value = message[name]
      const inner = field.fields
      if (inner === undefined || value === null || value === undefined) return [name, value]
      return [
        name,
        Array.isArray(value)
          ? value.map((one: Values) => presentOnly(one, inner, version))
          : presentOnly(value as Values, inner, version)
      ]
    })
  )

const tagged = (fields: Definition.Fields): ReadonlyArray<string> =>
  Object.entries(fields).flatMap(([name, field]) => [
    ...(field.tag === undefined ? [] : [name]),
    ...(field.fields === undefined ? [] : tagged(field.fields))
  ])

const withoutTagged = (fields: Definition.Fields): support.Instead =>
  Object.fromEntries(tagged(fields).map((name) => [name, undefined]))

const encode = (definition: Definition.Definition, version: number, message: Values): Uint8Array =>
  Result.getOrThrow(Message.encode(definition, version, message as Definition.Input<Definition.Fields>))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const TIME = 1_700_000_000_000

/** A request to produce `value` for a transaction, as its batch says too. */
const assertProduces = (bytes: Uint8Array, version: number): void => {
  const message = Result.getOrThrow(Message.decode(Messages.Produce.request, version, new Uint8Array(bytes)))
  const [{ partitionData: [{ index, records } = assert.fail()], name } = assert.fail()] = message.topicData
  const { header, records: [record] } = Result.getOrThrow(RecordBatch.decode(records!))

  assert.deepInclude(message, { transactionalId: "id", acks: -1, timeoutMs: 30_000 })
  assert.deepStrictEqual({ name, index }, { name: "topic", index: 3 })
  assert.isTrue(header.isTransactional)
  assert.strictEqual(header.producerId, 7)
  assert.strictEqual(record!.timestamp, TIME)
  assert.strictEqual(Buffer.from(record!.value!).toString(), "value")
  assert.strictEqual(hex(encode(Messages.Produce.request, version, message)), hex(bytes))
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

const groups = (versions: ReadonlyArray<number>): string => `${versions[0]} to ${versions[versions.length - 1]}`

describe("@platformatic/kafka", () => {
  interface Module {
    readonly createRequest?: (...parameters: ReadonlyArray<unknown>) => { readonly buffer: Buffer }
    readonly parseResponse?: (id: number, key: number, version: number, reader: platformatic.Reader) => unknown
  }

  const dialect: Dialect = {
    int64: BigInt,
    uuid: (value) =>
      Buffer.from(value, "base64url").toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    names: {
      timeoutMs: ["timeout"],
      replicaId: ["replica"],
      generationIdOrMemberEpoch: ["generationId"]
    }
  }

  const moduleOf = ({ name }: Api, version: number): Module | undefined =>
    (platformatic as unknown as Readonly<Record<string, Module>>)[`${lowerFirst(name)}V${version}`]

  /** What it cannot say. */
  const cannotSay: Readonly<Record<string, (version: number) => support.Instead>> = {
    Fetch: () => ({ replicaId: undefined, logStartOffset: undefined }),
    ListOffsets: () => ({ maxNumOffsets: 1 }),
    Metadata: (version) => version < 10 ? {} : { topicId: ZERO_UUID, name: "topic" },
    OffsetCommit: () => ({ commitTimestamp: undefined, retentionTimeMs: undefined }),
    // It has the field of version 1 in its place.
    UpdateFeatures: () => ({ allowDowngrade: false })
  }

  const byName = (topics: unknown): unknown =>
    (topics as ReadonlyArray<Values>).map((topic) => ({ ...topic, topicId: topic["topic"] }))

  /** It takes the newest form of these in every version. */
  const newest: Readonly<Record<string, (message: Record<string, unknown>, version: number) => object>> = {
    Fetch: ({ forgottenTopicsData, topics }, version) =>
      version < 13 ? { topics: byName(topics), forgottenTopicsData: byName(forgottenTopicsData) } : {},
    OffsetFetch: (message, version) => version < 8 ? { groups: [message] } : {},
    FindCoordinator: ({ key }, version) => version < 4 ? { coordinatorKeys: [key] } : {},
    LeaveGroup: ({ memberId }, version) => version < 3 ? { members: [{ memberId }] } : {},
    DeleteTopics: ({ topicNames }, version) =>
      version < 6 ? { topics: (topicNames as ReadonlyArray<string>).map((name) => ({ name })) } : {},
    AddPartitionsToTxn: (message, version) =>
      version < 4
        ? {
          transactions: [{
            transactionalId: message["v3AndBelowTransactionalId"],
            producerId: message["v3AndBelowProducerId"],
            producerEpoch: message["v3AndBelowProducerEpoch"],
            topics: message["v3AndBelowTopics"]
          }]
        }
        : {}
  }

  const parameters = (create: NonNullable<Module["createRequest"]>): ReadonlyArray<string> =>
    /\(([^)]*)\)/.exec(String(create))![1]!.split(",").map((name) => name.replace(/=.*/, "").trim()).filter((name) =>
      name !== ""
    )

  /** It throws where there is an error, and drops what came before 2.0. */
  const noErrors: support.Instead = {
    errorCode: 0,
    partitionErrorCode: 0,
    recordErrors: [],
    errorMessage: null,
    records: new Uint8Array(),
    oldStyleOffsets: []
  }

  /** It puts the names of APIs beside their keys. */
  const withoutNames = (response: unknown): unknown => {
    const { apiKeys, ...rest } = response as { readonly apiKeys: ReadonlyArray<Values> }
    return { ...rest, apiKeys: apiKeys.map((one) => ({ ...one, name: null })) }
  }

  let requests = 0
  let responses = 0

  for (const api of apis) {
    const versions = support.versionsOf(api.request).filter((version) => moduleOf(api, version) !== undefined)
    // Its Produce requests take messages instead of batches; they have a test of their own.
    const writes = api.name === "Produce" ? [] : versions.filter((version) => moduleOf(api, version)!.createRequest)

    if (writes.length > 0) {
      it(`writes the same requests of ${api.name}, ${groups(writes)}`, () => {
        const { fields } = api.request
        for (const version of writes) {
          const { createRequest } = moduleOf(api, version)!
          fc.assert(
            fc.property(
              support.message(fields, version, { ...withoutTagged(fields), ...cannotSay[api.name]?.(version) }),
              ({ input, output }) => {
                const said = saying(dialect, output, fields)
                const whole = { ...said, ...newest[api.name]?.(said, version) } as Values
                // Version 1 of OffsetFetch hands everything to version 0.
                const names = api.name === "OffsetFetch" ? ["groups", "requireStable"] : parameters(createRequest!)
                const theirs = createRequest!(...names.map((name) => whole[name])).buffer

                assert.strictEqual(hex(encode(api.request, version, input)), hex(theirs))
              }
            ),
            { numRuns: NUM_RUNS }
          )
          requests++
        }
      })
    }

    const reads = versions.filter((version) => moduleOf(api, version)!.parseResponse)
    if (reads.length > 0) {
      it(`reads the same from responses of ${api.name}, ${groups(reads)}`, () => {
        const { fields } = api.response
        for (const version of reads) {
          fc.assert(
            fc.property(
              support.message(fields, version, { ...withoutTagged(fields), ...noErrors }),
              ({ input, output }) => {
                const reader = platformatic.Reader.from(Buffer.from(encode(api.response, version, input)))
                const read = moduleOf(api, version)!.parseResponse!(0, api.key, version, reader)
                const theirs = api.name === "ApiVersions" ? withoutNames(read) : read

                assert.deepStrictEqual(
                  leaves(theirs),
                  leaves(presentOnly(saying(dialect, output, fields), fields, version))
                )
              }
            ),
            { numRuns: NUM_RUNS }
          )
          responses++
        }
      })
    }
  }

  it("writes requests of Produce, 3 to 11", () => {
    const create = {
      3: platformatic.produceV3,
      6: platformatic.produceV6,
      9: platformatic.produceV9,
      11: platformatic.produceV11
    }
    for (const [version, { createRequest }] of Object.entries(create)) {
      const { buffer } = createRequest(
        -1,
        30_000,
        [{ topic: "topic", partition: 3, value: Buffer.from("value"), timestamp: BigInt(TIME) }],
        { transactionalId: "id", producerId: 7n, producerEpoch: 2 }
      )
      assertProduces(buffer, Number(version))
    }
  })

  it("is asked about most of what keos knows", () => {
    assert.isAtLeast(requests, 150)
    assert.isAtLeast(responses, 160)
  })
})

describe("kafkajs", () => {
  const require = createRequire(import.meta.url)
  const folder = join(dirname(require.resolve("kafkajs/package.json")), "src/protocol")

  interface Request {
    readonly encode: () => Promise<{ readonly buffer: Buffer }>
  }

  interface Response {
    readonly decode: (bytes: Buffer) => Promise<unknown>
  }

  const dialect: Dialect = {
    int64: String,
    uuid: String,
    names: {
      name: ["topic"],
      partitionIndex: ["partition"],
      committedOffset: ["offset"],
      committedMetadata: ["metadata"],
      commitTimestamp: ["timestamp"],
      timeoutMs: ["timeout"],
      v3AndBelowTransactionalId: ["transactionalId"],
      v3AndBelowProducerId: ["producerId"],
      v3AndBelowProducerEpoch: ["producerEpoch"],
      v3AndBelowTopics: ["topics"],
      maxWaitMs: ["maxWaitTime"],
      partitionMaxBytes: ["maxBytes"],
      forgottenTopicsData: ["forgottenTopics"],
      sessionTimeoutMs: ["sessionTimeout"],
      rebalanceTimeoutMs: ["rebalanceTimeout"],
      protocols: ["groupProtocols"],
      assignments: ["groupAssignment", "replicaAssignment"],
      assignment: ["memberAssignment"],
      brokerIds: ["replicas"],
      configs: ["configEntries"],
      generationId: ["groupGenerationId"],
      generationIdOrMemberEpoch: ["groupGenerationId"],
      retentionTimeMs: ["retentionTime"],
      committed: ["transactionResult"],
      transactionTimeoutMs: ["transactionTimeout"],
      key: ["groupId", "coordinatorKey"],
      keyType: ["coordinatorType"],
      topicNames: ["topics"]
    }
  }

  /** Where it has another form. */
  const forms: Readonly<Record<string, (message: Values) => unknown>> = {
    Metadata: ({ topics }) => ({ topics: (topics as ReadonlyArray<Values>).map(({ name }) => name) }),
    OffsetFetch: ({ topics }) => ({
      topics: (topics as ReadonlyArray<Values>).map(({ name, partitionIndexes }) => ({
        topic: name,
        partitions: (partitionIndexes as ReadonlyArray<number>).map((partition) => ({ partition }))
      }))
    }),
    DeleteGroups: ({ groupsNames }) => groupsNames
  }

  /** These have no null for topics, and null for none. */
  const canSay = ({ name }: Api, { topics }: Values): boolean =>
    (name !== "Metadata" && name !== "OffsetFetch")
    || (topics !== null && (topics as ReadonlyArray<unknown>).length > 0)

  const file = ({ name }: Api, version: number, what: string): string =>
    join(folder, "requests", lowerFirst(name), `v${version}`, `${what}.js`)

  for (const api of apis) {
    const versions = support.versionsOf(api.request).filter((version) => existsSync(file(api, version, "request")))
    if (versions.length === 0) continue

    if (api.name !== "Produce") {
      it(`writes the same requests of ${api.name}, ${groups(versions)}`, async () => {
        const { fields } = api.request
        for (const version of versions) {
          const request = require(file(api, version, "request")) as (message: unknown) => Request
          await fc.assert(
            fc.asyncProperty(support.message(fields, version), async ({ input, output }) => {
              fc.pre(canSay(api, output))
              const said = saying(dialect, output, fields)
              const form = forms[api.name]?.(output)
              const theirs = await request(Array.isArray(form) ? form : { ...said, ...form as object }).encode()

              assert.strictEqual(hex(encode(api.request, version, input)), hex(theirs.buffer))
            }),
            { numRuns: NUM_RUNS }
          )
        }
      })
    }

    it(`reads the same from responses of ${api.name}, ${groups(versions)}`, async () => {
      const { fields } = api.response
      for (const version of versions) {
        const response = require(file(api, version, "response")) as Response | ((request: object) => Response)
        const { decode } = typeof response === "function" ? response({ topics: [] }) : response
        await fc.assert(
          fc.asyncProperty(
            support.message(fields, version, { errorCode: 0, records: new Uint8Array() }),
            async ({ input, output }) => {
              const theirs = await decode(Buffer.from(encode(api.response, version, input)))

              assert.deepStrictEqual(leaves(theirs), leaves(presentOnly(output, fields, version)))
            }
          ),
          { numRuns: NUM_RUNS }
        )
      }
    })
  }

  it("writes requests of Produce, 3 to 7", async () => {
    for (const version of [3, 4, 5, 6, 7]) {
      const request = require(file(Messages.Produce, version, "request")) as (message: unknown) => Request
      const { buffer } = await request({
        acks: -1,
        timeout: 30_000,
        transactionalId: "id",
        producerId: "7",
        producerEpoch: 2,
        topicData: [{
          topic: "topic",
          partitions: [{ partition: 3, firstSequence: 5, messages: [{ value: "value", timestamp: TIME }] }]
        }]
      }).encode()
      assertProduces(buffer, version)
    }
  })
})
