import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Result } from "effect"
import { spawn } from "node:child_process"
import { existsSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { check } from "../../src/tlc/index.ts"
import { config, describeTlc, leftFolders, livingJvms, runModel, spec, toolchain } from "./support.ts"

const plain = ["INIT Init", "NEXT Next"]
const showsProcesses = existsSync("/proc/self/cmdline")

describeTlc("a run ends, and leaves nothing behind,", () => {
  it("when its fiber is interrupted", () =>
    Effect.runPromise(Effect.gen(function*() {
      const computing = yield* Deferred.make<void>()
      const context = yield* Effect.context()
      const fiber = yield* Effect.forkChild(check(toolchain(), {
        spec: spec("Endless"),
        config: config(...plain),
        quick: true,
        onText: () => Effect.runForkWith(context)(Deferred.succeed(computing, undefined))
      }))
      yield* Deferred.await(computing)
      const [folder] = leftFolders()
      assert.isDefined(folder)

      yield* Fiber.interrupt(fiber)

      assert.deepStrictEqual(leftFolders(), [])
      if (showsProcesses) assert.deepStrictEqual(livingJvms(folder!), [])
    })))

  it("when its time is up", async () => {
    const result = await runModel("Endless", plain, { timeLimit: "1500 millis" })

    if (Result.isSuccess(result)) return assert.fail("it passed")
    assert.strictEqual(result.failure.reason, "TimeLimit")
    assert.deepStrictEqual(leftFolders(), [])
  })

  it("when a worker runs out of memory, although the other could go on", async () => {
    const result = await runModel("Hungry", plain, { heap: "24m", workers: 2, timeLimit: "30 seconds" })

    if (Result.isSuccess(result)) return assert.fail("it passed")
    assert.strictEqual(result.failure.reason, "OutOfMemory")
    assert.deepStrictEqual(leftFolders(), [])
  })

  it("when a callback throws, which is a defect", async () => {
    const exit = await Effect.runPromiseExit(check(toolchain(), {
      spec: spec("Endless"),
      config: config(...plain),
      quick: true,
      onText: () => {
        throw new Error("from the callback")
      }
    }))

    assert.strictEqual(exit._tag, "Failure")
    assert.match(String(exit), /from the callback/)
    assert.deepStrictEqual(leftFolders(), [])
  })

  it.runIf(showsProcesses)("when Node itself is told to end", async () => {
    const script = fileURLToPath(new URL("./fixtures/endless.ts", import.meta.url))
    const node = spawn(process.execPath, [script, spec("Endless"), config(...plain)], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    const folder = await new Promise<string>((resolve) => {
      node.stdout.on("data", (chunk: Buffer) => resolve(chunk.toString().trim()))
    })
    assert.strictEqual(livingJvms(folder).length, 1)

    node.kill("SIGTERM")
    const signal = await new Promise((resolve) => node.on("exit", (_, signal) => resolve(signal)))
    await new Promise((resolve) => setTimeout(resolve, 300))

    assert.strictEqual(signal, "SIGTERM")
    assert.deepStrictEqual(livingJvms(folder), [])
    rmSync(join(tmpdir(), folder), { recursive: true, force: true })
  })
})

describeTlc("runs that start together", () => {
  it("do not disturb each other", async () => {
    const counter = ["SPECIFICATION Spec", "CONSTANT Max = 4", "INVARIANT InRange"]
    const results = await Promise.all([runModel("Counter", counter), runModel("Counter", counter)])

    for (const result of results) {
      assert.isTrue(Result.isSuccess(result), Result.isFailure(result) ? result.failure.message : "")
      if (Result.isSuccess(result)) assert.strictEqual(result.success.distinct, 8)
    }
    assert.deepStrictEqual(leftFolders(), [])
  })
})
