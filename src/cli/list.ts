/**
 * `keos list`: the cases of `keos conform`, by name.
 */
import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import * as Catalogue from "../conformance/conform/Catalogue.ts"
import * as Selection from "../conformance/conform/Selection.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import { finish } from "./ProgressLine.ts"

const globArgument = Argument.String("glob").pipe(
  Argument.optional,
  Argument.withDescription("names of cases; * stands for anything in a segment, ** for segments")
)

const walksOf = ({ asked }: Catalogue.Entry): number => asked.reduce((sum, { walks }) => sum + walks, 0)

export const list = Command.make(
  "list",
  { glob: globArgument, json: Engine.jsonFlag },
  ({ glob, json }) =>
    Effect.gen(function*() {
      const all = yield* Catalogue.make()
      const found = Option.isSome(glob) ? all.filter(({ id }) => Selection.matcher([glob.value])(id)) : all
      finish()
      if (found.length === 0) {
        const pattern = Option.getOrElse(glob, () => "")
        const meant = Selection.nearest(pattern, all.map(({ id }) => id))
        return yield* new Ending.NoVerdict({
          message: `there is no case ${pattern}${meant === undefined ? "" : `; did you mean ${meant}?`}`
        })
      }
      const rows = found.map((entry) => ({
        id: entry.id,
        topic: entry.topic,
        level: Catalogue.levelOf(entry),
        answers: [...entry.errors],
        walks: walksOf(entry),
        parts: [...new Set(entry.asked.map(({ part }) => part))]
      }))
      return yield* json ? Output.json({ schemaVersion: 1, cases: rows }) : Output.print([
        ...Output.table([
          ["case", "level", "walks", "answer", "parts"],
          ...rows.map(({ answers, id, level, parts, walks }) => [
            id,
            level,
            Output.count(walks),
            answers.join(" or "),
            parts.join(" ")
          ])
        ], ["left", "left", "right", "left", "left"]),
        "",
        `${Output.count(rows.length)} ${rows.length === 1 ? "case" : "cases"}`
      ])
    })
).pipe(Command.withDescription("List the cases of 'keos conform', with the answers that they want"))
