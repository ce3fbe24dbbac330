/**
 * `keos bugs`: the museum of real bugs.
 */
import { Effect, Option, Semaphore } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Exhibits from "../conformance/Exhibits.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Workers from "../conformance/Workers.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import * as Verdict from "./Verdict.ts"

const names = Argument.String("name").pipe(Argument.variadic(), Argument.withDescription("exhibits to run"))

const allFlag = Flag.Boolean("all").pipe(Flag.withDefault(false), Flag.withDescription("run every exhibit"))

/** What an exhibit showed, in a few lines. */
const describe = (report: Exhibits.ExhibitReport): ReadonlyArray<string> => {
  const { code, divergence, name, property, replay, spec, steps, title } = report
  return [
    `${name}: ${title}`,
    `  violates ${property} in ${steps.length + 1} states: ${steps.join(" ")}`,
    `  specification ${spec} · code ${code} · replay ${replay}; clean without the change`,
    ...(divergence === undefined ? [] : [
      "  replayed against the true specification:",
      ...divergence.split("\n").map((line) => `    ${line}`)
    ])
  ]
}

const run = Command.make("run", {
  names,
  all: allFlag,
  json: Engine.jsonFlag,
  jar: Engine.jarFlag
}, ({ all, jar, json, names: wanted }) =>
  Effect.gen(function*() {
    const { exhibits } = yield* Specification.manifest
    if (!all && wanted.length === 0) {
      return yield* new Ending.UsageError({ message: "name an exhibit, or use --all; 'keos bugs' lists them" })
    }
    const chosen = yield* Ending.select("exhibit", exhibits, ({ name }) => name, all ? [] : wanted)
    const toolchain = yield* Engine.require(jar)
    const context = { toolchain, workers: yield* Workers.make(1), tlc: Semaphore.makeUnsafe(1) }
    const reports = yield* Effect.forEach(chosen, (exhibit) => Exhibits.verify(context, exhibit))
    return yield* Verdict.conclude({
      json,
      checks: reports.flatMap((report) => report.checks),
      document: { engine: Verdict.engineOf(toolchain), exhibits: reports.map(({ checks, ...report }) => report) },
      lines: reports.flatMap(describe)
    })
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Show that an exhibit breaks specification, code and replay"))

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
    yield* json
      ? Output.json({ schemaVersion: 1, exhibits: chosen })
      : Output.print(
        Output.table([
          ["exhibit", "violates", "states", "changes", "releases", "", "reported in"],
          ...chosen.map((exhibit) => [
            exhibit.name,
            exhibit.property,
            String(exhibit.length),
            Exhibits.changesOf(exhibit).join(", "),
            exhibit.releases ?? "",
            exhibit.title,
            exhibit.reference
          ])
        ], ["left", "left", "right", "left", "left", "left", "left"])
      )
  })).pipe(
    Command.withDescription("The museum: list the exhibits, or describe one"),
    Command.withSubcommands([run])
  )
