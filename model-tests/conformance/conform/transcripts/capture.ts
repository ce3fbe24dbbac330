/**
 * Renews the committed transcripts: starts brokers, takes the quick walks on each, and keeps what was said if the
 * specification agrees with all of it.
 *
 *     node model-tests/conformance/conform/transcripts/capture.ts [apache-kafka@4.4.0,transaction.version=2 …]
 *
 * Without a target, all of them. It needs Java and Maven. Exit: 0 written, 1 a broker is answered otherwise than the
 * specification says, 2 wrong usage, 3 no verdict.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Result } from "effect"
import { writeFileSync } from "node:fs"
import * as Judging from "../../../../src/conformance/conform/Judging.ts"
import { ApacheKafka } from "../../../../src/conformance/conform/launch/index.ts"
import * as Report from "../../../../src/conformance/conform/Report.ts"
import { Transcript } from "../../../../src/conformance/conform/transcripts/index.ts"
import * as Files from "./Files.ts"

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const capture = Effect.fnUntraced(function*(launch: ApacheKafka.LaunchSpecification) {
  const name = ApacheKafka.format(launch)
  const { address } = yield* ApacheKafka.launch(launch, { onProgress: say })
  say(`taking the quick walks on ${name}`)
  let taken: Transcript.Transcript | undefined
  const document = yield* Judging.judge({
    address,
    name,
    extent: "quick",
    only: [],
    walks: [],
    knownFailing: [],
    concurrency: 8,
    timeoutPatienceMs: 15_000,
    again: () => `npm run -s keos -- conform --launch ${name} --quick`,
    keep: (transcript) => {
      taken = transcript
    }
  })
  const verdict = Report.verdictOf(document)
  if (taken === undefined || verdict !== "passed") {
    say(`${name}: ${document.stopped ?? `${document.divergences.length} divergences`}; nothing is written`)
    return verdict === "failed" ? 1 : 3
  }
  const bytes = Transcript.encode(taken)
  const path = Files.pathOf(name)
  writeFileSync(path, bytes)
  process.stdout.write(`${path}: ${document.totals.compared} answers, ${bytes.length} bytes\n`)
  return 0
}, Effect.scoped)

const named = process.argv.slice(2)
const launches = (named.length > 0 ? named : Files.targets).map(ApacheKafka.parse)
const wrong = launches.find(Result.isFailure)
if (wrong !== undefined) {
  say(wrong.failure.message)
  process.exitCode = 2
} else {
  Effect.forEach(launches.filter(Result.isSuccess), ({ success }) => capture(success)).pipe(
    Effect.catch(({ message }) =>
      Effect.sync(() => {
        say(message)
        return [3]
      })
    ),
    Effect.tap((codes) =>
      Effect.sync(() => {
        process.exitCode = Math.max(...codes)
      })
    ),
    NodeRuntime.runMain
  )
}
