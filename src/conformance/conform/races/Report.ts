/**
 * What comes of a race that is run on a broker, and what is said of it to people.
 */
import type { Ending, Outcome } from "./Interleavings.ts"
import type { Plan, Race } from "./Race.ts"
import { textOf } from "./Race.ts"
import type { Divergence } from "./Running.ts"
import * as Said from "./Said.ts"
import * as Statement from "./Statement.ts"

export interface Skipped {
  readonly verdict: "skipped"
  readonly race: Race
  readonly reason: string
}

export interface Judged {
  readonly verdict: "agrees" | "diverges"
  readonly race: Race
  /** What was asked. */
  readonly plan: Plan
  /** How often it was run; a divergence is the end of it. */
  readonly repetitions: number
  /** Whatever may come of it, by the specification. */
  readonly allowed: ReadonlyArray<Outcome>
  /** Which of that did, and how often. */
  readonly observed: ReadonlyArray<{ readonly outcome: Outcome; readonly times: number }>
  /** The first. */
  readonly divergence?: Divergence
}

export type Report = Skipped | Judged

/** One line about a race that was run, or not. */
export const summary = (report: Report): string => {
  if (report.verdict === "skipped") return `skipped: ${report.reason}`
  const { allowed, divergence, observed, repetitions } = report
  if (divergence !== undefined) return `diverges in repetition ${divergence.repetition}`
  const seen = `${observed.length} of ${allowed.length} allowed outcomes seen`
  return `agrees: ${seen} in ${repetitions} ${repetitions === 1 ? "repetition" : "repetitions"}`
}

const answersText = (answers: Ending["answers"]): string =>
  answers.map((said) => said.map(Said.textOf).join(", ")).join(" | ")

const indented = (lines: ReadonlyArray<string>): ReadonlyArray<string> => lines.map((line) => `  ${line}`)

const roundLines = (
  { connections, restart }: Plan["rounds"][number],
  { answers, statement }: Ending,
  number: number
): ReadonlyArray<string> => [
  `round ${number}:`,
  ...indented([
    ...connections.flatMap((asks, i) =>
      asks.map((ask, j) => `connection ${i + 1}: ${textOf(ask)} -> ${Said.textOf(answers[i]![j]!)}`)
    ),
    ...(restart === undefined
      ? []
      : [`the broker is ${restart === "kill" ? "killed meanwhile" : "stopped"}, and started again`]),
    "at rest:",
    ...indented(Statement.linesOf(statement))
  ])
]

/** What would have been allowed of a round: which answers, or which lines to these answers, by what is nearest. */
const expectedLines = (
  expected: ReadonlyArray<Ending>,
  { answers, statement }: Ending
): ReadonlyArray<string> => {
  const said = answersText(answers)
  const allowed = new Set(expected.map((ending) => answersText(ending.answers)))
  if (!allowed.has(said)) {
    return [`these answers are not allowed together: ${said}`, "allowed are:", ...indented([...allowed])]
  }
  const lines = Statement.linesOf(statement)
  const differences = expected.map((ending) => {
    const others = Statement.linesOf(ending.statement)
    return [
      ...lines.filter((line) => !others.includes(line)).map((line) => `- ${line}`),
      ...others.filter((line) => !lines.includes(line)).map((line) => `+ ${line}`)
    ]
  })
  const nearest = differences.toSorted((a, b) => a.length - b.length)[0] ?? []
  return [
    `with these answers it may rest ${
      expected.length === 1 ? "in one way" : `in ${expected.length} ways`
    }; the nearest differs in:`,
    ...indented(nearest)
  ]
}

/** A divergence in full, line by line. */
export const describe = ({ divergence, plan, race }: Judged): ReadonlyArray<string> => {
  if (divergence === undefined) return []
  const { expected, observed, partitions, preparation, transactionalIds } = divergence
  const names = Object.entries(partitions).map(([name, place]) => `${name} is ${place}`)
  const head = [
    `${race.id}: ${race.sentence} (${race.level}; ${race.source})`,
    `repetition ${divergence.repetition}; ${
      [...names, ...transactionalIds.map((id, i) => `${i + 1} is ${id}`)].join(", ")
    }`,
    "preparation, one after the other:",
    ...indented(plan.preparation.map((request, i) => `${i + 1}. ${textOf({ request })}`))
  ]
  if (preparation !== undefined) {
    const { actual, step } = preparation
    return [
      ...head,
      `after ${step + 1}. comes ${JSON.stringify(actual)} instead of ${JSON.stringify(preparation.expected)}`
    ]
  }
  return [
    ...head,
    ...observed.flatMap((ending, i) => roundLines(plan.rounds[i]!, ending, i + 1)),
    ...expectedLines(expected, observed.at(-1)!)
  ]
}
