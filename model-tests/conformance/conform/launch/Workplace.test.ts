import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import * as Workplace from "../../../../src/conformance/conform/launch/Workplace.ts"
import { isAlive } from "./processes.ts"

const idle = ["-e", "setInterval(() => {}, 1000)"]

/** Runs `use` with a folder for workplaces. */
const withBase = <A, E>(use: (base: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "keos-test-"))),
    use,
    (base) => Effect.sync(() => rmSync(base, { recursive: true }))
  )

describe("a workplace", () => {
  it.live("goes with its scope, and so does who works in it", () =>
    withBase((base) =>
      Effect.gen(function*() {
        const { folder, pid } = yield* Effect.scoped(Effect.gen(function*() {
          const workplace = yield* Workplace.acquire(base)
          const worker = yield* Workplace.start(workplace, process.execPath, [...idle, workplace.folder])
          assert.isTrue(isAlive(worker.pid))
          assert.isTrue(existsSync(workplace.folder))
          return { folder: workplace.folder, pid: worker.pid }
        }))

        assert.isFalse(existsSync(folder))
        assert.isFalse(isAlive(pid))
        assert.deepStrictEqual(readdirSync(base), [])
      })
    ))

  it.live("tells how a worker ended, and what it said", () =>
    withBase((base) =>
      Effect.scoped(Effect.gen(function*() {
        const workplace = yield* Workplace.acquire(base)
        const worker = yield* Workplace.start(workplace, process.execPath, [
          "-e",
          "console.log('a'); console.error('b'); process.exitCode = 3"
        ])

        assert.strictEqual(yield* worker.gone, "exit code 3")
        assert.sameMembers(worker.output().trim().split("\n"), ["a", "b"])
        assert.isFalse(worker.isAlive())
      }))
    ))

  it.live("refuses a program that there is not", () =>
    withBase((base) =>
      Effect.scoped(Effect.gen(function*() {
        const workplace = yield* Workplace.acquire(base)

        const failure = yield* Effect.flip(Workplace.start(workplace, "/nowhere/java", []))

        assert.match(failure.message, /^cannot start \/nowhere\/java: .*ENOENT/)
      }))
    ))
})

/** A Node that has a workplace with a worker. */
const started = (base: string, then: string) =>
  Effect.callback<{ readonly node: ChildProcess; readonly worker: number; readonly folder: string }>((resume) => {
    const node = spawn(process.execPath, [join(import.meta.dirname, "fixtures/working.ts"), base, then], {
      stdio: ["pipe", "pipe", "ignore"]
    })
    node.stdout.once("data", (line: Buffer) => {
      const { folder, worker } = JSON.parse(line.toString()) as { readonly folder: string; readonly worker: number }
      resume(Effect.succeed({ node, worker, folder }))
    })
  })

const exited = (node: ChildProcess) =>
  Effect.callback<string>((resume) => {
    node.once("exit", (code, signal) => resume(Effect.succeed(signal ?? `exit code ${code}`)))
  })

/** Processes die a little later than they are killed. */
const died = (pid: number) =>
  Effect.gen(function*() {
    while (isAlive(pid)) yield* Effect.sleep(5)
  })

describe("nothing remains", () => {
  for (
    const [signal, then] of [
      ["SIGTERM", "wait"],
      ["SIGINT", "wait"],
      ["SIGHUP", "wait"],
      ["SIGHUP", "wait beside TLC"]
    ] as const
  ) {
    it.live(`after ${signal}, for a Node that is to ${then}`, () =>
      withBase((base) =>
        Effect.gen(function*() {
          const { folder, node, worker } = yield* started(base, then)
          assert.isTrue(existsSync(folder))

          node.kill(signal)

          assert.strictEqual(yield* exited(node), signal)
          yield* died(worker)
          assert.deepStrictEqual(readdirSync(base), [])
        })
      ))
  }

  for (const [then, how] of [["throw", "exit code 1"], ["reject", "exit code 1"], ["exit", "exit code 5"]] as const) {
    it.live(`after Node came to ${then}`, () =>
      withBase((base) =>
        Effect.gen(function*() {
          const { node, worker } = yield* started(base, then)

          node.stdin!.write("now")

          assert.strictEqual(yield* exited(node), how)
          yield* died(worker)
          assert.deepStrictEqual(readdirSync(base), [])
        })
      ))
  }

  it.live.skipIf(!existsSync("/proc/self/cmdline"))(
    "after the next run, of a Node that was killed",
    () =>
      withBase((base) =>
        Effect.gen(function*() {
          const { folder, node, worker } = yield* started(base, "wait")
          node.kill("SIGKILL")
          assert.strictEqual(yield* exited(node), "SIGKILL")
          assert.isTrue(existsSync(folder))
          assert.isTrue(isAlive(worker))

          Workplace.sweep(base)

          yield* died(worker)
          assert.deepStrictEqual(readdirSync(base), [])
        })
      )
  )
})

it("a sweep removes the folders of dead owners and no others", () => {
  const base = mkdtempSync(join(tmpdir(), "keos-test-"))
  const make = (name: string, owner: string | undefined) => {
    mkdirSync(join(base, name))
    if (owner !== undefined) writeFileSync(join(base, name, "owner"), owner)
  }
  make("keos-kafka-dead", `${hostname()}\n${2 ** 22 + 1}\n`)
  make("keos-kafka-mine", `${hostname()}\n${process.pid}\n`)
  make("keos-kafka-elsewhere", `another-host\n${2 ** 22 + 1}\n`)
  make("keos-kafka-new", undefined)
  make("unrelated", undefined)
  // Its number has gone to another process.
  writeFileSync(join(base, "keos-kafka-dead/worker"), String(process.pid))

  Workplace.sweep(base)

  assert.sameMembers(readdirSync(base), ["keos-kafka-elsewhere", "keos-kafka-mine", "keos-kafka-new", "unrelated"])
  rmSync(base, { recursive: true })
})
