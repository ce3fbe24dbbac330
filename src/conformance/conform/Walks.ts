/**
 * Walks through the state graph of a cluster that is asked one request at a time: sequences of requests from the initial
 * state that together take every edge, each request with the answer that the specification has for it.
 *
 * Requests that change nothing are asked once in each state; then the state is looked at, so that one which changed
 * something all the same is found out there. The same configuration gives the same walks.
 */
import { Interner, Transactions } from "../../model/index.ts"

const { model, RequestActions, Requests } = Transactions
type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World

export type Step =
  | {
    readonly _tag: "Ask"
    readonly request: Transactions.Requests.Request
    readonly answer: Transactions.Requests.Answer
    readonly before: World
    readonly after: World
  }
  /** The cluster's own account of this state. */
  | { readonly _tag: "Look"; readonly world: World }

export interface Walk {
  /** From 1. */
  readonly number: number
  readonly steps: ReadonlyArray<Step>
}

export interface Walks {
  readonly walks: ReadonlyArray<Walk>
  /** Of the graph. */
  readonly states: number
  readonly edges: number
}

interface Edge {
  readonly request: Transactions.Requests.Request
  readonly answer: Transactions.Requests.Answer
  readonly to: number
  walked: boolean
}

interface State {
  readonly world: World
  /** Those that change nothing, with their answers. */
  readonly asked: ReadonlyArray<Omit<Edge, "to" | "walked">>
  readonly edges: ReadonlyArray<Edge>
  looked: boolean
}

/** Every state, by number; one that is reached from another has the higher number. */
const explore = (configuration: Configuration, first: World): ReadonlyArray<State> => {
  const requests = RequestActions.requestsOf(configuration)
  const worlds = Interner.make(model.packing(configuration))
  const states: Array<State> = []
  worlds.number(first)
  for (let number = 0; number < worlds.size(); number++) {
    const world = worlds.world(number)
    const asked: Array<State["asked"][number]> = []
    const edges: Array<Edge> = []
    for (const request of requests) {
      const performed = Requests.perform(configuration, world, request)
      const next = performed === undefined ? undefined : RequestActions.spent(world, performed.world)
      if (next === undefined) continue
      const { answer } = performed!
      if (next === world) asked.push({ request, answer })
      else edges.push({ request, answer, to: worlds.number(next), walked: false })
    }
    states.push({ world, asked, edges, looked: false })
  }
  return states
}

/** One walk: on over edges that nobody has walked, and where there is none, towards the nearest. */
const walk = (states: ReadonlyArray<State>): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  let number = 0
  for (;;) {
    const state = states[number]!
    if (!state.looked) {
      state.looked = true
      for (const { answer, request } of state.asked) {
        steps.push({ _tag: "Ask", request, answer, before: state.world, after: state.world })
      }
      steps.push({ _tag: "Look", world: state.world })
    }
    const edge = state.edges.find(({ walked }) => !walked) ?? nearest(states, state)
    if (edge === undefined) break
    edge.walked = true
    const after = states[edge.to]!
    steps.push({ _tag: "Ask", request: edge.request, answer: edge.answer, before: state.world, after: after.world })
    number = edge.to
  }
  // Where the walk ends, the state was seen before, but not as the end of this way to it.
  if (steps.at(-1)?._tag === "Ask") steps.push({ _tag: "Look", world: states[number]!.world })
  return steps
}

/** The first edge on the shortest way to one that nobody has walked. */
const nearest = (states: ReadonlyArray<State>, from: State): Edge | undefined => {
  let frontier = from.edges.map((edge) => ({ first: edge, at: edge.to }))
  const seen = new Set<number>()
  while (frontier.length > 0) {
    const next: typeof frontier = []
    for (const { at, first } of frontier) {
      if (seen.has(at)) continue
      seen.add(at)
      const { edges } = states[at]!
      if (edges.some(({ walked }) => !walked)) return first
      for (const { to } of edges) next.push({ first, at: to })
    }
    frontier = next
  }
  return undefined
}

/** `first` is the state that the cluster is brought into before each walk. */
export const of = (configuration: Configuration, first: World): Walks => {
  const states = explore(configuration, first)
  const walks: Array<Walk> = []
  const isLeft = (): boolean => states.some(({ edges }) => edges.some(({ walked }) => !walked))
  do walks.push({ number: walks.length + 1, steps: walk(states) })
  while (isLeft())
  return {
    walks,
    states: states.length,
    edges: states.reduce((sum, { asked, edges }) => sum + asked.length + edges.length, 0)
  }
}
