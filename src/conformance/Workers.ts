/**
 * A few threads that run tasks beside the main one, which is busy with TLC's graphs.
 */
import { Effect, Queue, type Scope } from "effect"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { Progress } from "./Progress.ts"
import * as Specification from "./Specification.ts"
import { describe, type Output, type Task } from "./Task.ts"

export interface Workers {
  /** Runs the task on the next free thread. */
  readonly run: <T extends Task>(task: T) => Effect.Effect<Output<T>, Specification.SpecificationError>
}

/** What a worker says: how far it is, and in the end what came out. */
export type Answer =
  | { readonly _tag: "Progress"; readonly done: number; readonly expected: number | undefined }
  | { readonly _tag: "Done"; readonly output: unknown }
  | { readonly _tag: "Refused"; readonly message: string }

// Beside this module in the sources; beside the bundle in the package.
const entry = ["./WorkerMain.ts", "./worker.js"]
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(fileURLToPath(url)))

export const make = (threads: number): Effect.Effect<Workers, never, Scope.Scope> =>
  Effect.gen(function*() {
    const free = yield* Queue.unbounded<Worker>()
    for (let i = 0; i < threads; i++) {
      const worker = yield* Effect.acquireRelease(
        Effect.sync(() => new Worker(entry!)),
        (running) => Effect.promise(() => running.terminate())
      )
      yield* Queue.offer(free, worker)
    }
    const { report } = yield* Progress
    const ask = (worker: Worker, task: Task): Effect.Effect<unknown, Specification.SpecificationError> =>
      Effect.callback<unknown, Specification.SpecificationError>((resume) => {
        const finish = (result: Effect.Effect<unknown, Specification.SpecificationError>): void => {
          worker.off("message", answered)
          worker.off("error", failed)
          resume(result)
        }
        const answered = (answer: Answer): void => {
          switch (answer._tag) {
            case "Progress":
              return report(describe(task), answer.done, answer.expected)
            case "Done":
              return finish(Effect.succeed(answer.output))
            case "Refused":
              return finish(Effect.fail(new Specification.SpecificationError({ message: answer.message })))
          }
        }
        const failed = (error: unknown): void => finish(Effect.die(error))
        worker.on("message", answered)
        worker.on("error", failed)
        worker.postMessage(task)
      })
    return {
      run: <T extends Task>(task: T) =>
        Effect.acquireUseRelease(
          Queue.take(free),
          (worker) => ask(worker, task) as Effect.Effect<Output<T>, Specification.SpecificationError>,
          (worker) => Queue.offer(free, worker)
        )
    }
  })
