/**
 * What a walk asks, without what is answered: so a walk that was taken once can be judged by the rules of today, also where
 * today's rules would lead to other walks.
 */
import { Transactions } from "../../../model/index.ts"
import type { Step } from "../Walks.ts"

type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World
type Request = Transactions.Requests.Request

/** The name of a request, as `EndTxn id=1 identity=current result=COMMIT version=2`, or `look`. */
export type Question = string

export const look: Question = "look"

const nameOf = ({ _tag, ...of }: Request): Question =>
  [_tag, ...Object.entries(of).map(([key, value]) => `${key}=${value}`).toSorted()].join(" ")

export const of = (steps: ReadonlyArray<Step>): ReadonlyArray<Question> =>
  steps.map((step) => step._tag === "Look" ? look : nameOf(step.request))

export interface Answered {
  readonly steps: ReadonlyArray<Step>
  /** What there is nothing to ask about in the specification, where the steps end; undefined if all can be asked. */
  readonly impossible: Question | undefined
}

/** Requests of a configuration by name. */
const requestsOf = (configuration: Configuration): ReadonlyMap<Question, Request> =>
  new Map(Transactions.RequestActions.requestsOf(configuration).map((request) => [nameOf(request), request]))

type Answer = Extract<Step, { readonly _tag: "Ask" }>

/**
 * Has questions answered by a configuration, one after the other. How many of them may change something is not limited.
 * Walks that begin alike share their worlds, and what is answered in them is found out once.
 */
export const answering = (
  configuration: Configuration
): (first: World, questions: ReadonlyArray<Question>) => Answered => {
  const requests = requestsOf(configuration)
  const answers = new WeakMap<World, Map<Question, Answer>>()
  const answer = (before: World, question: Question): Answer | undefined => {
    const known = answers.get(before) ?? new Map<Question, Answer>()
    answers.set(before, known)
    const found = known.get(question)
    if (found !== undefined) return found
    const request = requests.get(question)
    const performed = request && Transactions.Requests.perform(configuration, before, request)
    if (performed === undefined) return undefined
    const after = Transactions.RequestActions.spent(before, performed.world) ?? performed.world
    const step: Answer = { _tag: "Ask", request: request!, answer: performed.answer, before, after }
    known.set(question, step)
    return step
  }
  return (first, questions) => {
    const steps: Array<Step> = []
    let world = first
    for (const question of questions) {
      if (question === look) {
        steps.push({ _tag: "Look", world })
        continue
      }
      const step = answer(world, question)
      if (step === undefined) return { steps, impossible: question }
      steps.push(step)
      world = step.after
    }
    return { steps, impossible: undefined }
  }
}
