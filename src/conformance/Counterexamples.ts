/**
 * The committed counterexamples: one for each exhibit, so that a machine without TLC can watch the bug happen, and
 * whatever else stands in the folder.
 */
import { Effect } from "effect"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type * as Model from "../model/Model.ts"
import type { TraceState } from "../tlc/index.ts"
import type { Check } from "./Check.ts"
import * as Checks from "./Check.ts"
import * as Counterexample from "./Counterexample.ts"
import * as Specification from "./Specification.ts"
import * as StateDiff from "./StateDiff.ts"

const extension = ".itf.json"

const folder = join(Specification.home, "traces", "counterexamples")

/** Where a folder has the counterexample of this name; by default the committed one. */
export const pathOf = (name: string, place: string = folder): string => join(place, `${name}${extension}`)

/** The names of all that are committed. */
export const names = (): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder).flatMap((file) => file.endsWith(extension) ? [file.slice(0, -extension.length)] : [])
    : []

/** What a file was replayed as. */
export interface Replayed {
  readonly counterexample: Counterexample.Counterexample
  readonly result: Counterexample.Shown | Counterexample.NotShown
}

const refusal = (path: string, error: unknown) =>
  new Specification.SpecificationError({
    message: `${Specification.shown(path)}: ${
      error instanceof Counterexample.CounterexampleError ? error.message : String(error)
    }`
  })

/** Replays a file on the code of the configuration that it names. A file that is no counterexample is refused. */
export const replay = Effect.fn("Counterexamples.replay")(function*(
  path: string
): Effect.fn.Return<Replayed, Specification.SpecificationError> {
  const { checked: { configuration, model }, counterexample } = yield* Counterexample.read(path)
  const result = yield* Effect.try({
    try: () => Counterexample.replay(model, configuration, counterexample),
    catch: (error) => refusal(path, error)
  })
  return { counterexample, result }
})

/** Where code and counterexample part, in as many lines as it needs. */
export const render = ({ allowed, differences, sentence, state }: Counterexample.NotShown): string =>
  [
    `state ${state}: ${sentence}`,
    ...differences.map((difference) => `  ${StateDiff.render(difference)}`),
    ...(allowed.length === 0 ? [] : [`  the code can: ${allowed.join(" ")}`])
  ].join("\n")

/** One of the committed counterexamples that is of no exhibit. */
export const check = Effect.fnUntraced(function*(
  name: string
): Effect.fn.Return<Check, Specification.SpecificationError> {
  const { result } = yield* replay(pathOf(name))
  const what = `${name}: counterexample`
  return result._tag === "Shown"
    ? Checks.passed(what)
    : Checks.failed(what, render(result), `npm run -s keos -- replay ${Specification.shown(pathOf(name))}`)
})

/**
 * What speaks against the committed counterexample of an exhibit: it must be about the exhibit, be as long as pinned, show
 * on the code with the bug, and part from the code without it.
 */
export const missed = Effect.fnUntraced(function*(
  { config, length, module, name, property }: Specification.Exhibit,
  clean: Specification.Checked
): Effect.fn.Return<ReadonlyArray<string>, Specification.SpecificationError> {
  const path = pathOf(name)
  if (!existsSync(path)) {
    const how = `with TLC at hand, 'keos bugs run ${name} --update' writes it`
    return yield* refusal(path, `there is no such counterexample; ${how}`)
  }
  const { counterexample, result } = yield* replay(path)
  const { origin, states } = counterexample
  const cured = yield* Effect.result(Effect.try({
    try: () => Counterexample.replay(clean.model, clean.configuration, counterexample),
    catch: (error) => refusal(path, error)
  }))
  return [
    ...(origin.module === module && origin.config === config && origin.property === property
      ? []
      : [`it is about ${origin.property} in ${origin.config}`]),
    ...(states.length === length ? [] : [`it has ${states.length} states, pinned ${length}`]),
    ...(result._tag === "Shown" ? [] : [render(result)]),
    ...(cured._tag === "Success" && cured.success._tag === "Shown" ? ["the code without the bug shows it too"] : [])
  ]
})

/** The counterexample that TLC found for an exhibit. */
export const ofExhibit = Effect.fnUntraced(function*(
  { config, module, name, property }: Specification.Exhibit,
  { configuration, model }: Model.Configured,
  trace: ReadonlyArray<TraceState>,
  tlc: string
): Effect.fn.Return<Counterexample.Counterexample, Specification.SpecificationError> {
  const origin = { specification: model.specification, module, config, property, foundBy: tlc }
  return yield* Effect.try({
    try: () => Counterexample.fromTlc(model, configuration, origin, trace),
    catch: (error) => refusal(pathOf(name), error)
  })
})

export const write = (path: string, counterexample: Counterexample.Counterexample): Effect.Effect<void> =>
  Effect.sync(() => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, Counterexample.print(counterexample))
  })
