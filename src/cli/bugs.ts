/**
 * `keos bugs`: the museum of real bugs.
 */
import { Effect, Option, Semaphore } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Counterexamples from "../conformance/Counterexamples.ts"
import * as Exhibits from "../conformance/Exhibits.ts"
import * as Progress from "../conformance/Progress.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Workers from "../conformance/Workers.ts"
import type { Toolchain } from "../tlc/index.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import { finish } from "./ProgressLine.ts"
import * as Verdict from "./Verdict.ts"

const names = Argument.String("name").pipe(Argument.variadic(), Argument.withDescription("exhibits to run"))

const writeFlag = Flag.Directory("write").pipe(
  Flag.withDescription("write the counterexamples that TLC finds into this folder, one ITF trace for each exhibit"),
  Flag.optional
)

const updateFlag = Flag.Boolean("update").pipe(
  Flag.withDefault(false),
  Flag.withDescription("write the committed graphs and counterexamples of the exhibits anew")
)

const allFlag = Flag.Boolean("all").pipe(Flag.withDefault(false), Flag.withDescription("run every exhibit"))

/** What an exhibit showed, in a few lines. */
const describe = (report: Exhibits.ExhibitReport): ReadonlyArray<string> => {
  const { code, counterexample, divergence, name, property, replay, spec, steps, title } = report
  return [
    `${name}: ${title}`,
    `  violates ${property} in ${steps.length + 1} states: ${steps.join(" ")}`,
    `  specification ${spec} · code ${code} · replay ${replay} · counterexample ${counterexample}; `
    + "clean without the change",
    ...(divergence === undefined ? [] : [
      "  replayed against the true specification:",
      ...divergence.split("\n").map((line) => `    ${line}`)
    ])
  ]
}

/** Writes what TLC finds, and says where. */
const written = Effect.fnUntraced(function*(
  toolchain: Toolchain.Toolchain,
  exhibit: Specification.Exhibit,
  folder: string
) {
  const path = Counterexamples.pathOf(exhibit.name, folder)
  yield* Progress.report(`TLC: ${exhibit.name}`)
  yield* Counterexamples.write(path, yield* Exhibits.counterexampleOf(toolchain, exhibit))
  return path
})

const run = Command.make("run", {
  names,
  all: allFlag,
  json: Engine.jsonFlag,
  jar: Engine.jarFlag,
  update: updateFlag,
  write: writeFlag
}, ({ all, jar, json, names: wanted, update, write }) =>
  Effect.gen(function*() {
    const { exhibits } = yield* Specification.manifest
    if (!all && wanted.length === 0) {
      return yield* new Ending.UsageError({ message: "name an exhibit, or use --all; 'keos bugs' lists them" })
    }
    const chosen = yield* Ending.select("exhibit", exhibits, ({ name }) => name, all ? [] : wanted)
    const toolchain = yield* Engine.require(jar)
    if (update) {
      yield* Effect.forEach(chosen, (exhibit) => Exhibits.renew(toolchain, exhibit), { concurrency: 2 })
      finish()
      return yield* Output.print([`renewed: ${chosen.map(({ name }) => name).join(", ")}`])
    }
    if (Option.isSome(write)) {
      const paths = yield* Effect.forEach(chosen, (exhibit) => written(toolchain, exhibit, write.value))
      finish()
      return yield* Output.print(paths.map((path) => `wrote ${Specification.shown(path)}`))
    }
    const context = { toolchain, workers: yield* Workers.make(1), tlc: Semaphore.makeUnsafe(2) }
    const reports = yield* Effect.forEach(chosen, (exhibit) => Exhibits.verify(context, exhibit), { concurrency: 2 })
    return yield* Verdict.conclude({
      json,
      checks: reports.flatMap((report) => report.checks),
      document: { engine: Verdict.engineOf(toolchain), exhibits: reports.map(({ checks, ...report }) => report) },
      lines: reports.flatMap(describe)
    })
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Show that an exhibit breaks specification, code and replay"))

const overview = (exhibits: ReadonlyArray<Specification.Exhibit>): ReadonlyArray<string> =>
  Output.table([
    ["exhibit", "violates", "states", "releases affected", ""],
    ...exhibits.map(({ length, name, property, releases = "", title }) => [
      name,
      property,
      String(length),
      releases,
      title
    ])
  ], ["left", "left", "right", "left", "left"])

const detail = (exhibit: Specification.Exhibit): ReadonlyArray<string> => {
  const { length, name, property, reference, releases, title } = exhibit
  return [
    `${name}: ${title}`,
    `  violates ${property} in ${length} states`,
    `  changes ${Exhibits.changesOf(exhibit).join(", ")}`,
    ...(releases === undefined ? [] : [`  releases affected: ${releases}`]),
    `  reported in ${reference}`,
    `  npm run -s keos -- bugs run ${name}`
  ]
}

export const bugs = Command.make("bugs", {
  name: Argument.String("name").pipe(Argument.optional, Argument.withDescription("the exhibit to describe")),
  json: Engine.jsonFlag
}, ({ json, name }) =>
  Effect.gen(function*() {
    const { exhibits } = yield* Specification.manifest
    const chosen = yield* Ending.select(
      "exhibit",
      exhibits,
      (exhibit) => exhibit.name,
      Option.match(name, { onNone: () => [], onSome: (one) => [one] })
    )
    if (json) return yield* Output.json({ schemaVersion: 1, exhibits: chosen })
    return yield* Output.print(Option.isSome(name) ? chosen.flatMap(detail) : overview(chosen))
  })).pipe(
    Command.withDescription("The museum: list the exhibits, or describe one"),
    Command.withSubcommands([run])
  )
