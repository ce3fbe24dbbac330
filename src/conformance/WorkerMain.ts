/**
 * The other end of `Workers.ts`: takes tasks and answers them.
 */
import { Effect, Result } from "effect"
import { parentPort } from "node:worker_threads"
import * as Task from "./Task.ts"
import type { Answer } from "./Workers.ts"

const say = (answer: Answer): void => parentPort?.postMessage(answer)

parentPort?.on("message", (task: Task.Task) => {
  const result = Effect.runSync(
    Effect.result(Task.run(task, (done, expected) => say({ _tag: "Progress", done, expected })))
  )
  say(
    Result.isSuccess(result)
      ? { _tag: "Done", output: result.success }
      : { _tag: "Refused", message: result.failure.message }
  )
})
