/**
 * Shows what is in a transcript: where it is from, and walks in words.
 *
 *     node model-tests/conformance/conform/transcripts/show.ts FILE [PART/NUMBER …]
 *
 * Exit: 0, or 2 where there is no such file or walk.
 */
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { Transcript, Wording } from "../../../../src/conformance/conform/transcripts/index.ts"

const [path, ...names] = process.argv.slice(2)

const read = (file: string): Result.Result<Transcript.Transcript, string> => {
  try {
    return Result.mapError(Transcript.decode(readFileSync(file)), ({ message }) => `${file}: ${message}`)
  } catch {
    return Result.fail(`there is no file ${file} that can be read`)
  }
}

const shown = (transcript: Transcript.Transcript): Result.Result<ReadonlyArray<string>, string> => {
  const lines = [Wording.origin(transcript)]
  for (const name of names) {
    const walk = transcript.walks.find(({ number, part }) => `${part}/${number}` === name)
    if (walk === undefined) {
      return Result.fail(`the transcript has no walk ${name}; write PART/NUMBER, as in version-2/17`)
    }
    lines.push("", ...Wording.walk(walk))
  }
  return Result.succeed(lines)
}

const result = path === undefined ? Result.fail("name a file of traces/captured") : Result.flatMap(read(path), shown)
if (Result.isFailure(result)) {
  process.stderr.write(`${result.failure}\n`)
  process.exitCode = 2
} else process.stdout.write(`${result.success.join("\n")}\n`)
