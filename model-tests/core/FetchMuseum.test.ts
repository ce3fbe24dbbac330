import { assert, describe, it } from "@effect/vitest"
import { Fetch, FetchedRecords, FetchMuseum, FetchRules } from "../../src/core/index.ts"
import { after, fetched, log, writes } from "./fetch.ts"

/** What the application is given with the bug and without it. */
interface Witness {
  readonly rule: keyof FetchRules.Rules
  readonly of: (rules: FetchRules.Rules) => ReadonlyArray<number>
  readonly base: ReadonlyArray<number>
  readonly override: ReadonlyArray<number>
}

const read = (text: string, offset: number, count: number) => (rules: FetchRules.Rules): ReadonlyArray<number> =>
  FetchedRecords.receive(rules, fetched(log(text)[0], offset, count, rules)!).delivered

const museum: Readonly<Record<FetchMuseum.Name, Witness>> = {
  "AutoMQ-754": { rule: "IsAbortedIn", of: read("1 1 A1 1 C1", 1, 4), base: [3], override: [1, 3] },
  "KAFKA-5376": {
    rule: "AbortedOfParked",
    of: (rules) => {
      const parked: Fetch.Input = { _tag: "ParkFetch", offset: 0 }
      const [, [returned]] = after(rules, Fetch.initial, parked, ...writes("1 A1"), { _tag: "CompleteFetch", count: 2 })
      return FetchedRecords.receive(rules, returned!).delivered
    },
    base: [],
    override: [0]
  },
  "librdkafka-3369": { rule: "AfterMarker", of: read("A1 1 A1 1 C1", 0, 5), base: [3], override: [1, 3] },
  "kafkajs-unsorted": { rule: "ByFirstOffset", of: read("1 2 A2 A1", 0, 4), base: [], override: [0] }
}

describe("FetchMuseum", () => {
  it("has a row here for every exhibit", () => {
    assert.deepStrictEqual(Object.keys(FetchMuseum.overrides).toSorted(), Object.keys(museum).toSorted())
  })

  for (const [name, { base, of, override, rule }] of Object.entries(museum)) {
    const overrides: FetchMuseum.Override = FetchMuseum.overrides[name as FetchMuseum.Name]

    it(`${name} puts ${rule} in place of another, and reads what was aborted`, () => {
      assert.deepStrictEqual(Object.keys(overrides), [rule])
      assert.deepStrictEqual(of(FetchRules.base), base)
      assert.deepStrictEqual(of({ ...FetchRules.base, ...overrides }), override)
    })
  }

  it("librdkafka-3369 takes nothing else off the list", () => {
    const { AfterMarker } = FetchMuseum.overrides["librdkafka-3369"]
    const filter: FetchedRecords.Filter = {
      queue: [1, 2].map((producerId) => ({ producerId, first: 5 })),
      dropping: new Set([1, 2])
    }

    assert.deepStrictEqual(AfterMarker(filter, { kind: "COMMIT", producerId: 1 }), filter)
    assert.deepStrictEqual(AfterMarker(filter, { kind: "ABORT", producerId: 1 }), {
      queue: [{ producerId: 2, first: 5 }],
      dropping: new Set([2])
    })
  })
})
