import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer } from "effect"
import { TransactionMetadata } from "../../../src/core/index.ts"
import { Simulation, Transactions } from "../../../src/runtime/index.ts"

const { SimulatedDisk, TransactionLog } = Transactions

const record = (epoch: number): TransactionMetadata.Metadata => ({ ...TransactionMetadata.created(1), epoch })

/** Opens the log, and appends one record to each epoch. */
const session = (disk: Transactions.SimulatedDisk.Disk, sync: boolean, epochs: ReadonlyArray<number>) =>
  Effect.gen(function*() {
    const log = Context.get(yield* Layer.build(SimulatedDisk.layer(disk, { sync })), TransactionLog.TransactionLog)
    const found = yield* log.load(1)
    for (const epoch of epochs) yield* log.append(1, record(epoch))
    return { found: found.epoch, last: (yield* log.load(1)).epoch }
  }).pipe(Effect.scoped)

const run = <A, E>(effect: Effect.Effect<A, E>, seed = 1): A => {
  const exit = Simulation.run(effect, { seed })
  return Exit.isSuccess(exit) ? exit.value : assert.fail("the session does not end")
}

describe("a disk", () => {
  it("keeps what was synced, and of the rest as much as a crash leaves", () => {
    const disk = SimulatedDisk.make()
    disk.write("synced,")
    disk.sync()
    disk.write("written")
    assert.strictEqual(disk.read(), "synced,written")

    disk.crash(0.5)

    assert.strictEqual(disk.read(), "synced,wri")
    disk.crash(0)
    assert.strictEqual(disk.read(), "synced,wri")
  })
})

describe("a log on such a disk", () => {
  it("that is synced has what was appended, whenever the broker crashes", () => {
    const disk = SimulatedDisk.make()

    assert.deepStrictEqual(run(session(disk, true, [1, 2, 3])), { found: TransactionMetadata.unknown.epoch, last: 3 })
    assert.deepStrictEqual(run(session(disk, true, [])), { found: 3, last: 3 })
  })

  it("that is not synced loses records and never reads a torn one", () => {
    const found = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const disk = SimulatedDisk.make()
      run(session(disk, false, [1, 2, 3]), seed)
      found.add(run(session(disk, false, [4]), seed).found)
      // What is appended behind a torn record can be read.
      const { last } = run(session(disk, true, [5]), seed)
      assert.strictEqual(last, 5)
      assert.strictEqual(run(session(disk, true, []), seed).found, 5)
    }

    assert.sameMembers([...found], [TransactionMetadata.unknown.epoch, 1, 2])
  })
})
