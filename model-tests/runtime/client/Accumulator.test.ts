import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as Accumulator from "../../../src/runtime/client/Accumulator.ts"
import * as BufferPool from "../../../src/runtime/client/BufferPool.ts"
import { BatchBuilder, BatchHeader, RecordBatch, type Records } from "../../../src/wire/index.ts"

/** A record of one partition; its bytes in a batch are known from the batch. */
const record = (value: string): Records.Record => ({
  timestamp: 5,
  key: null,
  value: Buffer.from(value),
  headers: []
})

const setup = (over: Partial<Accumulator.Options> & { readonly memory?: number } = {}) => {
  const pool = over.pool ?? BufferPool.make(over.memory ?? 1000, () => {})
  const accumulator = Accumulator.make<string>({
    batchSize: 100,
    linger: 10,
    deliveryTimeout: 1000,
    compression: "none",
    ...over,
    pool
  })
  accumulator.addPartition()
  accumulator.addPartition()
  return { accumulator, pool }
}

/** So long that two of them do not fit into one batch of 100 bytes. */
const long = record("x".repeat(24))
const short = record("s")

describe("append", () => {
  it("fills a batch, and begins the next when a record does not fit", () => {
    const { accumulator } = setup()

    const batches = [short, short, long, long].map((one) => accumulator.append(0, one, 0))

    assert.strictEqual(batches[1], batches[0])
    assert.notStrictEqual(batches[2], batches[0])
    assert.notStrictEqual(batches[3], batches[2])
    assert.strictEqual(accumulator.queued(0), 3)
    assert.isTrue(batches.every((batch) => BatchBuilder.size(batch!.builder) <= 100))
  })

  it("partitions have batches of their own", () => {
    const { accumulator } = setup()

    assert.notStrictEqual(accumulator.append(0, short, 0), accumulator.append(1, short, 0))
    assert.deepStrictEqual([...accumulator.waiting()], [0, 1])
  })

  it("a record that is larger than a batch has one for itself", () => {
    const { accumulator, pool } = setup()
    const large = record("l".repeat(300))

    const batch = accumulator.append(0, large, 0)!

    assert.strictEqual(batch.builder.count, 1)
    assert.strictEqual(1000 - pool.available(), BatchBuilder.sizeUpperBound(large))
    assert.isTrue(accumulator.isFull(0, batch))
  })

  it("every record has a batch for itself with batch.size=0", () => {
    const { accumulator } = setup({ batchSize: 0 })

    accumulator.append(0, short, 0)
    accumulator.append(0, short, 0)

    assert.strictEqual(accumulator.queued(0), 2)
  })

  it("takes memory for a batch when it begins, and none for what fits into it", () => {
    const { accumulator, pool } = setup({ memory: 150 })

    assert.isDefined(accumulator.append(0, short, 0))
    assert.strictEqual(pool.available(), 50)
    assert.isDefined(accumulator.append(0, short, 0))
    assert.strictEqual(pool.available(), 50)

    assert.isUndefined(accumulator.append(1, short, 0))
    assert.strictEqual(accumulator.queued(1), 0)
  })

  it("takes no more than there is at all for a batch of little", () => {
    const { accumulator, pool } = setup({ memory: 90, batchSize: 100 })

    assert.isDefined(accumulator.append(0, short, 0))
    assert.strictEqual(pool.available(), 0)
  })

  it("gives memory back that was reserved for nothing", () => {
    const { accumulator, pool } = setup()
    const batch = accumulator.append(0, short, 0)
    pool.tryReserve(200)

    assert.strictEqual(accumulator.appendReserved(0, short, 0, 200), batch)
    assert.strictEqual(pool.available(), 900)

    pool.tryReserve(200)
    assert.strictEqual(accumulator.appendReserved(1, short, 0, 200).reserved, 200)
    assert.strictEqual(pool.available(), 700)
  })

  it("says beforehand whether the record fits", () => {
    const { accumulator } = setup()
    assert.isFalse(accumulator.hasRoom(0, short))
    accumulator.append(0, long, 0)

    assert.isTrue(accumulator.hasRoom(0, short))
    assert.isFalse(accumulator.hasRoom(0, long))
  })
})

describe("a batch is ready", () => {
  it("linger.ms after its first record", () => {
    const { accumulator } = setup()
    assert.strictEqual(accumulator.readyAt(0), Infinity)

    accumulator.append(0, short, 7)
    accumulator.append(0, short, 12)

    assert.strictEqual(accumulator.readyAt(0), 17)
  })

  it("at once when it is full", () => {
    const { accumulator } = setup()
    accumulator.append(0, record("f".repeat(100)), 7)

    assert.strictEqual(accumulator.readyAt(0), 0)
  })

  it("at once when another one is behind it, which lingers", () => {
    const { accumulator } = setup()
    accumulator.append(0, long, 7)
    accumulator.append(0, long, 8)

    assert.strictEqual(accumulator.readyAt(0), 0)
    accumulator.take(0)
    assert.strictEqual(accumulator.readyAt(0), 18)
  })

  it.effect("at once while somebody waits for memory", () =>
    Effect.gen(function*() {
      const { accumulator, pool } = setup({ memory: 150 })
      accumulator.append(0, short, 7)
      const waiting = yield* Effect.forkChild(pool.reserve(100), { startImmediately: true })

      assert.strictEqual(accumulator.readyAt(0), 0)
      pool.release(100)
      assert.strictEqual(accumulator.readyAt(0), 17)
      assert.isDefined(waiting.pollUnsafe())
    }))

  it("at once while there is a rush", () => {
    const { accumulator } = setup()
    accumulator.append(0, short, 7)

    accumulator.rush(true)
    assert.strictEqual(accumulator.readyAt(0), 0)
    accumulator.rush(false)
    assert.strictEqual(accumulator.readyAt(0), 17)
  })
})

describe("take", () => {
  it("takes the batches out in their order, with their records", () => {
    const { accumulator } = setup()
    for (const value of ["a", "b"]) accumulator.append(0, record(value), 0)
    accumulator.append(0, long, 0)

    assert.strictEqual(accumulator.peek(0)?.builder.count, 2)
    const batch = accumulator.take(0)
    const bytes = BatchBuilder.close(batch.builder, { ...BatchHeader.noProducer, isTransactional: false })

    const values = Result.getOrThrow(RecordBatch.decode(bytes)).records.map(({ value }) =>
      Buffer.from(value!).toString()
    )
    assert.deepStrictEqual(values, ["a", "b"])
    assert.deepStrictEqual([...accumulator.waiting()], [0])
    accumulator.take(0)
    assert.deepStrictEqual([...accumulator.waiting()], [])
    assert.isUndefined(accumulator.peek(0))
  })

  it("a batch that nobody took fails delivery.timeout.ms after its first record", () => {
    const { accumulator } = setup()
    assert.strictEqual(accumulator.expiresAt(0), Infinity)

    accumulator.append(0, short, 7)

    assert.strictEqual(accumulator.expiresAt(0), 1007)
  })
})
