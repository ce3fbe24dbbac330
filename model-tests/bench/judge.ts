/**
 * Speed and memory of `keos judge` on the file of a correct run of a given size.
 *
 * The file is judged in a process of its own, as the command does it: bytes read, lines checked, verdicts given; not
 * counted is the start of the process. Its memory is all of the process at its peak.
 */
import { Result } from "effect"
import { execFileSync } from "node:child_process"
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Anomalies from "../../src/conformance/judge/Anomalies.ts"
import * as Reading from "../../src/conformance/judge/Reading.ts"
import { generate } from "../conformance/judge/run.ts"

/** What judging a run took. */
export interface Measurement {
  /** Records handed over, each with its outcome, its share of a transaction, and two to three reads. */
  readonly operations: number
  readonly lines: number
  /** Of the file. */
  readonly size: number
  readonly seconds: number
  /** Of the processor, whatever else the machine was doing. */
  readonly processorSeconds: number
  /** The resident set at its peak. */
  readonly bytes: number
}

/** Characters that are written at once. */
const pieceSize = 1 << 20

/** What the process that judges tells. */
type Judged = Pick<Measurement, "bytes" | "lines" | "processorSeconds" | "seconds">

/** Writes the run to a file, and answers with its size. */
const write = (path: string, operations: number): number => {
  const file = openSync(path, "w")
  let size = 0
  let piece = ""
  const flush = (): void => {
    size += writeSync(file, piece)
    piece = ""
  }
  const run = generate({
    sends: operations,
    seed: 1,
    partitions: 16,
    applications: 8,
    dump: false,
    pollInterval: 64
  })
  for (const event of run) {
    piece += `${JSON.stringify(event)}\n`
    if (piece.length >= pieceSize) flush()
  }
  flush()
  closeSync(file)
  return size
}

/** Judges a file; throws if anything is wrong with it, since nothing is. */
const judge = async (path: string): Promise<Judged> => {
  const began = performance.now()
  const before = process.cpuUsage()
  const reading = Reading.make()
  for await (const bytes of createReadStream(path, { highWaterMark: pieceSize })) reading.push(bytes as Uint8Array)
  const result = reading.end()
  const seconds = (performance.now() - began) / 1000
  const { system, user } = process.cpuUsage(before)
  if (Result.isFailure(result)) throw new Error(`line ${result.failure.line}: ${result.failure.message}`)
  const { anomalies, lines } = result.success
  const unlike = Anomalies.anomalies.filter((anomaly) => anomalies[anomaly]._tag !== "Absent")
  if (unlike.length > 0) throw new Error(`The run is correct, but not judged so: ${JSON.stringify(anomalies)}`)
  return { lines, seconds, processorSeconds: (user + system) / 1e6, bytes: process.resourceUsage().maxRSS * 1024 }
}

/** Judges a generated run of `operations` records from a file. */
export const measure = (operations: number): Measurement => {
  const folder = mkdtempSync(join(tmpdir(), "keos-bench-"))
  try {
    const path = join(folder, "history.ndjson")
    const size = write(path, operations)
    const output = execFileSync(process.execPath, [import.meta.filename, path], { encoding: "utf8" })
    return { operations, size, ...JSON.parse(output) as Judged }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) console.log(JSON.stringify(await judge(process.argv[2]!)))
