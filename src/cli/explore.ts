/**
 * `keos explore`: random histories of the runtime.
 */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Guarantees from "../conformance/Guarantees.ts"
import * as Models from "../conformance/Models.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Workers from "../conformance/Workers.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Verdict from "./Verdict.ts"
import { runsFlag, seedFlag } from "./verify.ts"

const pathFlag = Flag.String("path").pipe(
  Flag.withDescription("run one scenario of an earlier exploration again, by the path that it printed"),
  Flag.optional
)

const configuration = Argument.String("configuration").pipe(
  Argument.withDefault("idempotent"),
  Argument.withDescription("a row of the guarantee matrix")
)

export const explore = Command.make("explore", {
  configuration,
  runs: runsFlag(2000),
  seed: seedFlag,
  path: pathFlag,
  json: Engine.jsonFlag
}, ({ configuration: wanted, json, path, runs, seed }) =>
  Effect.gen(function*() {
    const manifest = yield* Specification.manifest
    const explorable = manifest.guarantees.filter((row) => Specification.isAsked(row, "histories"))
    const rows = yield* Ending.select("configuration with histories", explorable, (row) => row.configuration, [wanted])
    const row = rows[0]!
    const workers = yield* Workers.make(1)
    const { config, module } = row
    const explored = yield* workers.run({
      _tag: "Histories",
      module,
      config,
      runs,
      seed,
      ...(Option.isSome(path) ? { path: path.value } : {})
    })
    const checks = Object.entries(row.cells).flatMap(([guarantee, { verdict: expected }]) => {
      const tally = explored.properties[guarantee]
      if (tally === undefined) return []
      const found = Guarantees.verdictOf(tally)
      return Models.judged(
        `${row.title}: ${guarantee}`,
        found === expected || Option.isSome(path) ? [] : [`${found}, but the matrix says ${expected}`],
        `npm run -s keos -- explore ${row.configuration} --runs ${runs} --seed ${seed}`
      )
    })
    yield* Verdict.conclude({
      json,
      checks,
      document: { configuration: row.configuration, ...explored },
      lines: [
        `${row.title}: ${explored.runs} histories, ${explored.operations} records, seed ${seed}`,
        ...Object.entries(explored.properties).flatMap(([guarantee, { first, violated }]) => {
          if (first === undefined) return [`${guarantee}: held in every history`]
          return [
            `${guarantee}: violated in ${violated} histories; the smallest found`,
            ...first.scenario.split("\n").map((line) => `    ${line}`),
            `    ${first.sentence}`,
            `    again: npm run -s keos -- explore ${row.configuration} --seed ${seed} --path ${first.path}`
          ]
        })
      ]
    })
  }).pipe(Effect.scoped)).pipe(
    Command.withDescription("Throw random histories with faults at the runtime, and judge them")
  )
