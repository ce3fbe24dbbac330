import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Partitioner from "../../../src/runtime/client/Partitioner.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const keyless: Partitioner.Record = { key: null, value: null }

/** Draws these numbers one after the other, and then again from the first. */
const draws = (...numbers: ReadonlyArray<number>): () => number => {
  let next = 0
  return () => numbers[next++ % numbers.length]!
}

const topic = (over: Partial<Partitioner.Topic> = {}): Partitioner.Topic => ({
  name: "t",
  partitions: 4,
  available: [0, 1, 2, 3],
  load: () => [],
  ...over
})

const options = (over: Partial<Partitioner.Options> = {}): Partitioner.Options => ({
  random: draws(0),
  batchSize: 100,
  adaptive: true,
  ...over
})

describe("murmur2", () => {
  // From Kafka's UtilsTest.testMurmur2; the empty key is by our own computation in another language.
  const vectors: ReadonlyArray<readonly [string, number]> = [
    ["21", -973932308],
    ["foobar", -790332482],
    ["abc", 479470107],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["", 275646681]
  ]
  for (const [text, hash] of vectors) {
    it(`of ${JSON.stringify(text)} is ${hash}`, () => assert.strictEqual(Partitioner.murmur2(bytes(text)), hash))
  }

  /** The same hash by exact integers, as the sheet of rules describes it. */
  const reference = (key: Uint8Array): number => {
    const int = (n: bigint): bigint => BigInt.asUintN(32, n)
    const m = 0x5bd1e995n
    let h = int(0x9747b28cn ^ BigInt(key.length))
    const words = key.length - (key.length % 4)
    for (let i = 0; i < words; i += 4) {
      let k = 0n
      for (let j = 3; j >= 0; j--) k = (k << 8n) | BigInt(key[i + j]!)
      k = int(k * m)
      k ^= k >> 24n
      h = int(h * m) ^ int(k * m)
    }
    const tail = key.subarray(words)
    if (tail.length > 0) {
      tail.forEach((byte, i) => (h ^= BigInt(byte) << BigInt(8 * i)))
      h = int(h * m)
    }
    h ^= h >> 13n
    h = int(h * m)
    return Number(BigInt.asIntN(32, h ^ (h >> 15n)))
  }

  it("is what exact integers compute, for any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (key) => {
      assert.strictEqual(Partitioner.murmur2(key), reference(key))
    }))
  })
})

describe("partitionForKey", () => {
  it("masks the sign, over all partitions", () => {
    assert.strictEqual(Partitioner.toPositive(-973932308), 1173551340)
    assert.strictEqual(Partitioner.toPositive(-2147483648), 0)
    assert.strictEqual(Partitioner.partitionForKey(bytes("21"), 7), 1173551340 % 7)
    assert.strictEqual(Partitioner.partitionForKey(bytes("abc"), 10), 7)
  })
})

describe("round robin", () => {
  it("takes turns among the partitions that have a leader", () => {
    const { choose } = Partitioner.roundRobin.make(options())

    const chosen = Array.from({ length: 5 }, () => choose(keyless, topic({ available: [0, 2, 3] })))

    assert.deepStrictEqual(chosen, [0, 2, 3, 0, 2])
  })

  it("takes turns among all when none has one", () => {
    const { choose } = Partitioner.roundRobin.make(options())

    assert.deepStrictEqual(Array.from({ length: 5 }, () => choose(keyless, topic({ available: [] }))), [0, 1, 2, 3, 0])
  })

  it("does not look at keys", () => assert.isFalse(Partitioner.roundRobin.usesKeys))
})

describe("uniform sticky (KIP-794)", () => {
  const chooserOf = (over: Partial<Partitioner.Options> = {}) =>
    Partitioner.uniform.make(options({ random: draws(0, 0.99), ...over }))

  it("stays until batch.size bytes were appended and the last batch is full", () => {
    const chooser = chooserOf()
    const next = () => chooser.choose(keyless, topic())

    assert.strictEqual(next(), 0)
    chooser.appended(0, 99, true)
    assert.strictEqual(next(), 0)
    chooser.appended(0, 1, false)
    assert.strictEqual(next(), 0)
    chooser.appended(0, 1, true)
    assert.strictEqual(next(), 3)
  })

  it("leaves when a record does not fit any more after batch.size bytes", () => {
    const chooser = chooserOf()
    chooser.choose(keyless, topic())

    chooser.appended(0, 99, false)
    assert.isFalse(chooser.begins(0, topic()))
    chooser.appended(0, 1, false)
    assert.isFalse(chooser.begins(1, topic()))
    assert.isTrue(chooser.begins(0, topic()))

    assert.strictEqual(chooser.choose(keyless, topic()), 3)
  })

  it("leaves after twice batch.size whatever the last batch is", () => {
    const chooser = chooserOf()
    chooser.choose(keyless, topic())

    chooser.appended(0, 199, false)
    assert.strictEqual(chooser.choose(keyless, topic()), 0)
    chooser.appended(0, 1, false)

    assert.strictEqual(chooser.choose(keyless, topic()), 3)
  })

  it("counts from nothing on the next partition", () => {
    const chooser = chooserOf()
    chooser.choose(keyless, topic())
    chooser.appended(0, 200, true)
    chooser.choose(keyless, topic())

    chooser.appended(3, 99, true)

    assert.strictEqual(chooser.choose(keyless, topic()), 3)
  })

  it("does not count what went to another partition by its key", () => {
    const chooser = chooserOf()
    chooser.choose(keyless, topic())

    chooser.appended(2, 500, true)

    assert.strictEqual(chooser.choose(keyless, topic()), 0)
  })

  it("picks among partitions that have a leader, among all when none has", () => {
    assert.strictEqual(chooserOf({ random: draws(0.5) }).choose(keyless, topic({ available: [1, 3] })), 3)
    assert.strictEqual(chooserOf({ random: draws(0.5) }).choose(keyless, topic({ available: [] })), 2)
  })

  it("weighs partitions by the lengths of their queues when adaptive", () => {
    const load = () => [{ partition: 0, size: 3 }, { partition: 1, size: 0 }, { partition: 3, size: 2 }]
    // Weights 1, 4 and 2 of 7.
    const picks = [0, 1, 2, 3, 4, 5, 6].map((seventh) => Partitioner.pickByLoad(load(), draws((seventh + 0.5) / 7)))
    assert.deepStrictEqual(picks, [0, 1, 1, 1, 1, 3, 3])

    const choose = (adaptive: boolean) =>
      chooserOf({ adaptive, random: draws(0.3) }).choose(keyless, topic({ load, available: [2] }))
    assert.strictEqual(choose(true), 1)
    assert.strictEqual(choose(false), 2)
  })

  it("spreads over all partitions evenly when the queues are equal", () => {
    const load = () => [0, 1, 2, 3].map((partition) => ({ partition, size: 2 }))

    const picks = [0.1, 0.3, 0.6, 0.9].map((draw) => Partitioner.pickByLoad(load(), draws(draw)))

    assert.deepStrictEqual(picks, [0, 1, 2, 3])
  })

  it("chooses anew when the topic has shrunk", () => {
    const chooser = chooserOf({ random: draws(0.99) })
    assert.strictEqual(chooser.choose(keyless, topic()), 3)

    assert.strictEqual(chooser.choose(keyless, topic({ partitions: 2, available: [0, 1] })), 1)
  })
})

describe("sticky (KIP-480)", () => {
  it("goes to another partition when a batch begins, and stays for the batch", () => {
    const chooser = Partitioner.sticky.make(options({ random: draws(0) }))
    const place = (isNewBatch: boolean): number => {
      const chosen = chooser.choose(keyless, topic())
      const partition = isNewBatch && chooser.begins(chosen, topic()) ? chooser.choose(keyless, topic()) : chosen
      chooser.appended(partition, 10, false)
      return partition
    }

    assert.deepStrictEqual([true, false, false, true, false, true].map(place), [0, 0, 0, 1, 1, 0])
  })

  it("stays where there is no other", () => {
    const chooser = Partitioner.sticky.make(options())
    const only = topic({ available: [2] })
    chooser.choose(keyless, only)
    chooser.appended(2, 10, false)

    chooser.begins(2, only)

    assert.strictEqual(chooser.choose(keyless, only), 2)
  })

  it("never leaves for the partition that it is on", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 20, maxLength: 20 }),
        (numbers) => {
          const chooser = Partitioner.sticky.make(options({ random: draws(...numbers) }))
          let current = chooser.choose(keyless, topic())
          for (let i = 0; i < 10; i++) {
            chooser.appended(current, 10, true)
            assert.isTrue(chooser.begins(current, topic()))
            const next = chooser.choose(keyless, topic())
            assert.notStrictEqual(next, current)
            current = next
          }
        }
      )
    )
  })
})

describe("custom", () => {
  it("sees key and value of every record", () => {
    const partitioner = Partitioner.custom(({ key, value }, { partitions }) => (key![0]! + value![0]!) % partitions)
    const { choose } = partitioner.make(options())

    assert.isFalse(partitioner.usesKeys)
    assert.strictEqual(choose({ key: Uint8Array.of(3), value: Uint8Array.of(4) }, topic()), 3)
  })
})
