/**
 * A run as data: its scenario, every choice that was left to chance, and what came of it. The file is enough to make the
 * same run again, also under code that draws its choices otherwise; whether it is the same, the hash of its trace says.
 */
import { Effect, Result, Schema } from "effect"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { Choices } from "../runtime/index.ts"
import type * as Campaign from "./Campaign.ts"
import type { Judgement } from "./Histories.ts"
import { shown, SpecificationError } from "./Specification.ts"

export const Schedule = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  /** The row, model or exhibit of the manifest that it runs under. */
  configuration: Schema.String,
  /** Relative to the folder of the specification, as in the manifest. */
  module: Schema.String,
  config: Schema.String,
  /** Of the campaign, and the path of the run in it, where it comes from one. */
  seed: Schema.Int,
  path: Schema.optionalKey(Schema.String),
  /** Invariants of the model that were watched. */
  watched: Schema.Array(Schema.String),
  /** The scenario. */
  parts: Schema.Record(Schema.String, Schema.Json),
  /** Which of the ready fibers continued, and the numbers that were drawn, in order. */
  choices: Schema.Struct({ ready: Schema.Array(Schema.Int), drawn: Schema.Array(Schema.Int) }),
  /** What was violated, and how that was seen. */
  violated: Schema.Record(Schema.String, Schema.String),
  /** SHA-256 of everything that happened. */
  trace: Schema.String
})
export type Schedule = typeof Schedule.Type

/** Where a run comes from. */
export type Origin = Pick<Schedule, "configuration" | "module" | "config" | "seed" | "watched" | "path">

/** A seed for scenarios that leave nothing to chance. */
const seedOf = (parts: object): number => "seed" in parts && typeof parts.seed === "number" ? parts.seed : 0

const traceOf = ({ trace = "" }: Judgement): string => createHash("sha256").update(trace).digest("hex")

/** The name under which a property stands that the model saw violated. */
export const byModel = (property: string): string => `${property} (model)`

const violatedIn = ({ broken, seen, violated }: Judgement): Readonly<Record<string, string>> => ({
  ...(broken === undefined ? {} : { broken }),
  ...Object.fromEntries(violated),
  ...(seen === undefined ? {} : { [byModel(seen.property)]: seen.sentence })
})

/** Runs a scenario and keeps every choice. */
export const record = (campaign: Campaign.Campaign, origin: Origin, parts: object): Schedule => {
  const choices = Choices.recorded(Choices.seeded(seedOf(parts)))
  const judgement = campaign.run(parts, { choices, reaching: true, watched: origin.watched })
  return {
    schemaVersion: 1,
    ...origin,
    // Through JSON as in the file: what is undefined is not there.
    parts: JSON.parse(JSON.stringify(parts)) as Schedule["parts"],
    choices: choices.tape(),
    violated: violatedIn(judgement),
    trace: traceOf(judgement)
  }
}

/** A run that was made again. */
export interface Replayed {
  readonly scenario: string
  readonly violated: Readonly<Record<string, string>>
  /** Everything that happened, one line for each action and for each observation of a client. */
  readonly lines: ReadonlyArray<string>
  /** Everything happened as it did when the schedule was recorded. */
  readonly isSame: boolean
}

/** Makes the run again, choice for choice. */
export const replay = (campaign: Campaign.Campaign, schedule: Schedule): Replayed => {
  const { parts, watched } = schedule
  const choices = Choices.taped(schedule.choices, Choices.seeded(seedOf(parts)))
  const judgement = campaign.run(parts, { choices, reaching: true, watched })
  return {
    scenario: campaign.describe(parts),
    violated: violatedIn(judgement),
    lines: (judgement.trace ?? "").split("\n"),
    isSame: traceOf(judgement) === schedule.trace
  }
}

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Schedule), { onExcessProperty: "error" })

/** Reads the file of a schedule. */
export const read = (path: string): Effect.Effect<Schedule, SpecificationError> =>
  Effect.suspend(() => {
    const decoded = existsSync(path)
      ? Result.mapError(decode(readFileSync(path, "utf8")), ({ message }) => message)
      : Result.fail("there is no such file")
    return Result.isSuccess(decoded)
      ? Effect.succeed(decoded.success)
      : Effect.fail(new SpecificationError({ message: `${shown(path)} is no schedule: ${decoded.failure}` }))
  })

/** Writes it, one field a line. */
export const write = (path: string, schedule: Schedule): Effect.Effect<void> =>
  Effect.sync(() => {
    const fields = Object.entries(schedule).map(([name, value]) =>
      `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`
    )
    writeFileSync(path, `{\n${fields.join(",\n")}\n}\n`)
  })
