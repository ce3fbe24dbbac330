/**
 * States and edges, and the reader of a state graph that is written one item per line.
 *
 * Two notations exist: the JSON lines of `GraphWriter.java`, read here, and TLC's dot file, read by `Dot.ts`. A notation
 * says what one line means; the reader here numbers lines, counts items, and finds out whether the graph is whole.
 */

/** A reachable state. Values are TLA+ text. */
export interface State {
  readonly _tag: "State"
  /** TLC's fingerprint, a signed 64-bit number as text; comparable only within one specification and configuration. */
  readonly id: string
  readonly initial: boolean
  readonly variables: Readonly<Record<string, string>>
}

/** A step. One action with two arguments that lead to the same state gives two edges. */
export interface Edge {
  readonly _tag: "Edge"
  readonly source: string
  readonly target: string
  /** Name of the definition that TLC split off `Next`; `Next` itself where it found none. */
  readonly action: string
  /** TLA+ text by parameter name; empty where the graph has no arguments. */
  readonly arguments: Readonly<Record<string, string>>
}

export type Item = State | Edge

/** What a line means. `End` may announce how many items there should have been. */
export type Line =
  | Item
  | { readonly _tag: "Start" }
  | { readonly _tag: "End"; readonly states?: number; readonly edges?: number }
  | { readonly _tag: "Skip" }
  | { readonly _tag: "Foreign" }

/** Takes the lines of a graph. */
export interface GraphReader {
  readonly push: (line: string) => void
  /** To be called after the last line; says how many items there were. */
  readonly end: () => { readonly states: number; readonly edges: number }
  readonly started: () => boolean
  /** What is wrong with the graph, if anything is. Lines after a problem are ignored. */
  readonly problem: () => { readonly line: number; readonly message: string } | undefined
}

/** Makes a reader for a notation. `onItem` gets each state and edge at once. */
export const makeReader = (read: (text: string) => Line, onItem: (item: Item) => void): GraphReader => {
  let lines = 0
  let states = 0
  let edges = 0
  let place: "before" | "inside" | "after" = "before"
  let problem: { readonly line: number; readonly message: string } | undefined

  const fail = (message: string) => {
    problem ??= { line: lines, message }
  }

  return {
    push: (text) => {
      lines++
      if (problem !== undefined) return
      const line = read(text)
      if (line._tag === "Skip") return
      const expected = line._tag === "Foreign" ? false : line._tag === "Start" ? place === "before" : place === "inside"
      if (!expected) return fail(`this does not belong in a state graph: ${text.slice(0, 80)}`)
      switch (line._tag) {
        case "Start":
          place = "inside"
          return
        case "State":
          states++
          return onItem(line)
        case "Edge":
          edges++
          return onItem(line)
        case "End":
          place = "after"
          if ((line.states ?? states) === states && (line.edges ?? edges) === edges) return
          return fail(`${line.states} states and ${line.edges} edges were written, ${states} and ${edges} arrived`)
        default:
          return
      }
    },
    end: () => {
      if (place !== "after") fail("the state graph ends before its last line")
      return { states, edges }
    },
    started: () => place !== "before",
    problem: () => problem
  }
}

type Json =
  | { readonly s: string; readonly init?: true; readonly v: Readonly<Record<string, string>> }
  | { readonly e: readonly [string, string]; readonly a: string; readonly p: Readonly<Record<string, string>> }
  | { readonly states: number; readonly edges: number }
  | { readonly format: string }
  | null

/** Reads one line of `GraphWriter.java`; the notation is described there. */
export const readJsonLine = (text: string): Line => {
  let json: Json
  try {
    json = JSON.parse(text) as Json
  } catch {
    return { _tag: "Foreign" }
  }
  if (typeof json !== "object" || json === null) return { _tag: "Foreign" }
  if ("e" in json) return { _tag: "Edge", source: json.e[0], target: json.e[1], action: json.a, arguments: json.p }
  if ("s" in json) return { _tag: "State", id: json.s, initial: json.init === true, variables: json.v }
  if ("states" in json) return { _tag: "End", states: json.states, edges: json.edges }
  return { _tag: json.format === "keos-graph-1" ? "Start" : "Foreign" }
}
