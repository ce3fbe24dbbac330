/**
 * The other end of `Workers.ts`: takes tasks and answers them.
 */
import { Effect, Result } from "effect"
import { parentPort } from "node:worker_threads"
import * as Task from "./Task.ts"
import type { Answer } from "./Workers.ts"

parentPort?.on("message", (task: Task.Task) => {
  const result = Effect.runSync(Effect.result(Task.run(task)))
  const answer: Answer = Result.isSuccess(result)
    ? { _tag: "Done", output: result.success }
    : { _tag: "Refused", message: result.failure.message }
  parentPort?.postMessage(answer)
})
