/**
 * Judges mutants of the code: a copy of the sources with the mutant in it is compared with the reference graphs.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Worker } from "node:worker_threads"
import type { Answer, Question, Reference } from "./Replaying.ts"

const home = path.join(import.meta.dirname, "../..")

/** What is copied; the rest of the project is linked. */
const copied = ["core", "model", "conformance/Graph.ts", "conformance/Replay.ts", "conformance/StateDiff.ts"]

/** A copy of the sources with a change in it, for the time of `use`. */
const withCopy = async <A>(change: Change | undefined, use: (source: string) => Promise<A>): Promise<A> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keos-mutant-"))
  const source = path.join(folder, "src")
  try {
    fs.copyFileSync(path.join(home, "package.json"), path.join(folder, "package.json"))
    fs.symlinkSync(path.join(home, "node_modules"), path.join(folder, "node_modules"))
    for (const part of copied) fs.cpSync(path.join(home, "src", part), path.join(source, part), { recursive: true })
    fs.symlinkSync(path.join(home, "src", "tlc"), path.join(source, "tlc"))
    if (change !== undefined) fs.writeFileSync(path.join(source, change.file), change.text)
    return await use(source)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** `text` in the place of `file`, which is named from `src`. */
export interface Change {
  readonly file: string
  readonly text: string
}

/** Says what a mutant does differently in a configuration, if anything. */
export type Ask = (configuration: string) => Promise<Answer>

export interface CoreJudge {
  /** Holds a mutant ready for the time of `use`; without a change, the code as it is. */
  readonly withMutant: <A>(change: Change | undefined, use: (ask: Ask) => Promise<A>) => Promise<A>
  readonly close: () => Promise<void>
}

/** A mutant that has not answered after so long never will. */
const patienceMillis = 30_000
const heapMegabytes = 2048

export const make = (references: ReadonlyArray<Reference>): CoreJudge => {
  let worker: Worker | undefined
  /** Takes the answer to the question that is open. */
  let conclude: (answer: Answer) => void = () => undefined

  const start = (): Worker => {
    const started = new Worker(new URL("./Replaying.ts", import.meta.url), {
      workerData: references,
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes }
    })
    started.on("message", (answer: Answer) => conclude(answer))
    started.on("error", (error) => lose(started, String(error)))
    return started
  }

  /** The worker is gone with the mutant it was asked about. */
  const lose = (lost: Worker, answer: string): void => {
    if (worker === lost) worker = undefined
    void lost.terminate()
    conclude(answer)
  }

  const ask = (question: Question): Promise<Answer> =>
    new Promise((resolve) => {
      const asked = worker ??= start()
      const timer = setTimeout(() => lose(asked, "it does not end"), patienceMillis)
      conclude = (answer) => {
        clearTimeout(timer)
        conclude = () => undefined
        resolve(answer)
      }
      asked.postMessage(question)
    })

  return {
    withMutant: (change, use) => withCopy(change, (source) => use((configuration) => ask({ source, configuration }))),
    close: async () => {
      await worker?.terminate()
      worker = undefined
    }
  }
}
