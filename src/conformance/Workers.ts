/**
 * A few threads that run tasks beside the main one, which is busy with TLC's graphs.
 */
import { Effect, Queue, type Scope } from "effect"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import * as Specification from "./Specification.ts"
import type { Output, Task } from "./Task.ts"

export interface Workers {
  /** Runs the task on the next free thread. */
  readonly run: <T extends Task>(task: T) => Effect.Effect<Output<T>, Specification.SpecificationError>
}

/** What a worker answers. */
export type Answer =
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
    const ask = (worker: Worker, task: Task): Effect.Effect<unknown, Specification.SpecificationError> =>
      Effect.callback<unknown, Specification.SpecificationError>((resume) => {
        const answered = (answer: Answer): void => {
          worker.off("error", failed)
          resume(
            answer._tag === "Done"
              ? Effect.succeed(answer.output)
              : Effect.fail(new Specification.SpecificationError({ message: answer.message }))
          )
        }
        const failed = (error: unknown): void => {
          worker.off("message", answered)
          resume(Effect.die(error))
        }
        worker.once("message", answered)
        worker.once("error", failed)
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
