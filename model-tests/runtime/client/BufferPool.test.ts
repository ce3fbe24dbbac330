import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as BufferPool from "../../../src/runtime/client/BufferPool.ts"

/** Whoever reserved, in order. */
const reserving = Effect.fnUntraced(function*(pool: BufferPool.BufferPool, sizes: ReadonlyArray<number>) {
  const done: Array<number> = []
  const fibers: Array<Fiber.Fiber<void>> = []
  for (const size of sizes) {
    const reserve = Effect.map(pool.reserve(size), () => {
      done.push(size)
    })
    fibers.push(yield* Effect.forkChild(reserve, { startImmediately: true }))
  }
  return { done, fibers }
})

describe("tryReserve", () => {
  it("takes what is there, and nothing if that is too little", () => {
    const pool = BufferPool.make(10, () => {})

    assert.isTrue(pool.tryReserve(6))
    assert.isFalse(pool.tryReserve(5))
    assert.isTrue(pool.tryReserve(4))
    assert.strictEqual(pool.available(), 0)
  })

  it.effect("does not go before those who wait", () =>
    Effect.gen(function*() {
      const pool = BufferPool.make(10, () => {})
      pool.tryReserve(5)
      yield* reserving(pool, [8])

      assert.isFalse(pool.tryReserve(1))
      assert.strictEqual(pool.waiting(), 1)
    }))
})

describe("reserve", () => {
  it.effect("does not wait for what is there", () =>
    Effect.gen(function*() {
      const pool = BufferPool.make(10, () => {})

      yield* pool.reserve(10)

      assert.strictEqual(pool.available(), 0)
    }))

  it.effect("serves those who wait in their order, a small one not before a large one", () =>
    Effect.gen(function*() {
      const pool = BufferPool.make(10, () => {})
      pool.tryReserve(10)
      const { done } = yield* reserving(pool, [8, 1, 1])

      pool.release(5)
      assert.deepStrictEqual(done, [])
      pool.release(4)

      assert.deepStrictEqual(done, [8, 1])
      assert.strictEqual(pool.available(), 0)
      pool.release(1)
      assert.deepStrictEqual(done, [8, 1, 1])
      assert.strictEqual(pool.waiting(), 0)
    }))

  it.effect("tells when somebody begins to wait", () =>
    Effect.gen(function*() {
      let told = 0
      const pool = BufferPool.make(10, () => {
        told += 1
      })

      yield* reserving(pool, [10])
      assert.strictEqual(told, 0)
      yield* reserving(pool, [1])

      assert.strictEqual(told, 1)
    }))

  it.effect("who gives up leaves room for those behind", () =>
    Effect.gen(function*() {
      const pool = BufferPool.make(10, () => {})
      pool.tryReserve(9)
      const { done, fibers } = yield* reserving(pool, [8, 1])
      assert.deepStrictEqual(done, [])

      yield* Fiber.interrupt(fibers[0]!)

      assert.deepStrictEqual(done, [1])
      assert.strictEqual(pool.available(), 0)
    }))
})
