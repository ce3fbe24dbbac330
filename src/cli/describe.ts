/**
 * `keos describe`: one case of `keos conform`: its rule, where that comes from, and how a walk comes to it.
 */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import * as Catalogue from "../conformance/conform/Catalogue.ts"
import * as Rules from "../conformance/conform/Rules.ts"
import * as ConformReport from "./ConformReport.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import { finish } from "./ProgressLine.ts"

const idArgument = Argument.String("case").pipe(
  Argument.withDescription("its name, as 'keos list' has it")
)

const described = (entry: Catalogue.Entry, places: ReadonlyMap<string, Rules.Place>) => {
  const { walk, transactionVersion } = entry.example
  return {
    id: entry.id,
    topic: entry.topic,
    level: Catalogue.levelOf(entry),
    rules: Catalogue.rulesOf(entry).map(({ error, level, operator, sentence, source }) => ({
      answer: error,
      level,
      sentence,
      operator: operator ?? null,
      spec: operator === undefined ? null : places.get(operator) ?? null,
      source
    })),
    asked: entry.asked,
    example: { walk, transactionVersion, requests: Catalogue.exampleOf(entry) }
  }
}

const render = (
  { asked, example, id, level, rules, topic }: ReturnType<typeof described>
): ReadonlyArray<string> => [
  `${id} (${level})`,
  ...rules.flatMap(({ answer, operator, sentence, source, spec }) => [
    "",
    `${answer === "NONE" ? "done" : answer}: ${sentence}`,
    `    ${spec === null ? "" : `${spec.file}:${spec.line} ${operator}; `}${source}`
  ]),
  "",
  ...Output.table([
    ["part", "transaction.version", "walks that ask it"],
    ...asked.map(({ part, transactionVersion, walks }) => [part, String(transactionVersion), Output.count(walks)])
  ], ["left", "right", "right"]),
  "",
  `for example in ${example.walk.part}/${example.walk.number}`,
  ...ConformReport.requests(example.requests, topic, true).map((line) => `    ${line}`),
  ...(ConformReport.isLook(topic) ? [`    then ${topic}`] : [])
]

export const describe = Command.make(
  "describe",
  { id: idArgument, json: Engine.jsonFlag },
  ({ id, json }) =>
    Effect.gen(function*() {
      const [entry] = yield* Ending.select("case", yield* Catalogue.make(), (one) => one.id, [id])
      const found = described(entry!, yield* Rules.places)
      finish()
      return yield* json ? Output.json({ schemaVersion: 1, ...found }) : Output.print(render(found))
    })
).pipe(Command.withDescription("Explain a case of 'keos conform': its rule, its sources, and a walk that asks it"))
