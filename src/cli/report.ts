/**
 * `keos report`: what `keos conform --json` printed for several targets, side by side.
 */
import { Effect, Result } from "effect"
import { Argument, Command } from "effect/cli"
import { readFileSync } from "node:fs"
import * as Markdown from "../conformance/conform/Markdown.ts"
import * as Report from "../conformance/conform/Report.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"

const files = Argument.String("file").pipe(
  Argument.withDescription("documents of 'keos conform --json', one for each target"),
  Argument.variadic({ min: 1 })
)

const read = Effect.fnUntraced(function*(file: string) {
  const text = yield* Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: (error) => {
      const { code, message } = error as NodeJS.ErrnoException
      return new Ending.UsageError({
        message: code === "ENOENT" ? `there is no file ${file}` : `${file} cannot be read: ${message}`
      })
    }
  })
  return yield* Result.match(Report.parse(text), {
    onFailure: ({ message }) =>
      Effect.fail(new Ending.NoVerdict({ message: `${file} is no document of 'keos conform --json': ${message}` })),
    onSuccess: Effect.succeed
  })
})

/** The matrix as data. */
const matrixOf = ({ cases, divergences, profile, release, target }: Report.Document) => ({
  target,
  release,
  profile,
  topics: Object.fromEntries(
    Array.from(Map.groupBy(cases, ({ topic }) => topic), ([topic, all]) => {
      const count = (wanted: Report.Case["status"]): number => all.filter(({ status }) => status === wanted).length
      return [topic, { passed: count("passed"), failed: count("failed"), notJudged: count("not judged") }]
    })
  ),
  divergences: [...new Set(divergences.map((one) => one.case))]
})

export const report = Command.make(
  "report",
  { files, json: Engine.jsonFlag },
  ({ files: named, json }) =>
    Effect.flatMap(Effect.forEach(named, read), (documents) =>
      json
        ? Output.json({ schemaVersion: 1, targets: documents.map(matrixOf) })
        : Output.print([Markdown.render(documents).trimEnd()]))
).pipe(
  Command.withDescription("Put reports of 'keos conform' side by side: a Markdown matrix of targets by what was asked")
)
