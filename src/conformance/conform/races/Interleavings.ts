/**
 * Everything that may come of a race, by the specification: all orders of all turns, to the end of each round.
 */
import { Interner, Transactions } from "../../../model/index.ts"
import * as Moment from "./Moment.ts"
import type { Ask, Plan, Round } from "./Race.ts"
import * as Said from "./Said.ts"
import * as Statement from "./Statement.ts"

type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World

/** What came of a round: what each connection was told, and what the cluster says when it is at rest again. */
export interface Ending {
  readonly answers: ReadonlyArray<ReadonlyArray<Said.Said>>
  readonly statement: Statement.Statement
}

/** What came of all rounds of a race. */
export type Outcome = ReadonlyArray<Ending>

/** One step of the preparation. */
export interface Prepared {
  readonly request: Plan["preparation"][number]
  readonly answer: Transactions.Requests.Answer
  readonly before: World
  readonly after: World
}

/** Throws where the specification cannot do what the plan wants. */
export const prepare = (configuration: Configuration, { preparation }: Plan): ReadonlyArray<Prepared> => {
  let world = Transactions.model.initial(configuration)
  return preparation.map((request) => {
    const performed = Transactions.Requests.perform(configuration, world, request)
    if (performed === undefined) throw new Error(`${request._tag} is not possible here`)
    const step: Prepared = { request, answer: performed.answer, before: world, after: performed.world }
    world = step.after
    return step
  })
}

/** The world that the identity and the sequence of a request are of. */
export const meantIn = (
  configuration: Configuration,
  prepared: ReadonlyArray<Prepared>,
  { at }: Pick<Ask, "at">
): World =>
  (at === undefined ? prepared.at(-1)?.after : prepared[at]!.before) ?? Transactions.model.initial(configuration)

const answersOf = (round: Round, { flights }: Moment.Moment): Ending["answers"] => {
  let place = 0
  return round.connections.map((asks) =>
    asks.map(({ request }) => {
      const { answer, stage } = flights[place++]!
      if (stage === "closed") return Said.closed
      if (answer === undefined) throw new Error(`${request._tag} is never answered`)
      return Said.of(request, answer)
    })
  )
}

/** The same for equal values of plain data, whatever the order of their keys. */
export const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => a < b ? -1 : 1))
      : inner)

/** How a round may end, in all orders. */
const explore = (asked: Moment.Round, world: World): ReadonlyArray<Moment.Moment> => {
  const worlds = Interner.make(Transactions.model.packing(asked.configuration))
  const seen = new Set<string>()
  const left = [Moment.first(world, asked.sent)]
  const endings: Array<Moment.Moment> = []
  for (let moment = left.pop(); moment !== undefined; moment = left.pop()) {
    const key = `${worlds.number(moment.world)} ${moment.restarted} ${JSON.stringify(moment.flights)}`
    if (seen.has(key)) continue
    seen.add(key)
    const next = Moment.next(asked, moment)
    left.push(...next)
    if (next.length === 0) endings.push(moment)
  }
  return endings
}

/** What came of one round, and the world in which the next begins. */
interface Reached {
  readonly outcome: Outcome
  readonly world: World
}

const after = (
  configuration: Configuration,
  round: Round,
  sent: ReadonlyArray<Moment.Sent>,
  { outcome, world }: Reached
) =>
  explore({ configuration, sent, kill: round.restart === "kill" }, world).flatMap((moment): ReadonlyArray<Reached> => {
    const answers = answersOf(round, moment)
    // A broker at rest that is stopped leaves what one leaves that is killed.
    const rests = round.restart === "stop" ? explore({ configuration, sent: [], kill: true }, moment.world) : [moment]
    return rests.map((rest) => ({
      outcome: [...outcome, { answers, statement: Statement.expected(configuration, rest.world) }],
      world: rest.world
    }))
  })

/** All outcomes of a race; `plan` says what the configuration is of. */
export const outcomes = (configuration: Configuration, plan: Plan): ReadonlyArray<Outcome> => {
  const prepared = prepare(configuration, plan)
  const sentOf = (round: Round): ReadonlyArray<Moment.Sent> =>
    round.connections.flatMap((asks, connection) =>
      asks.map((ask) => Moment.sentOf(configuration, meantIn(configuration, prepared, ask), ask, connection))
    )
  const start = prepared.at(-1)?.after ?? Transactions.model.initial(configuration)
  let reached: ReadonlyArray<Reached> = [{ outcome: [], world: start }]
  for (const round of plan.rounds) {
    const sent = sentOf(round)
    reached = reached.flatMap((one) => after(configuration, round, sent, one))
  }
  return [...new Map(reached.map(({ outcome }) => [keyOf(outcome), outcome])).values()]
}
