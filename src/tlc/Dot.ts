/**
 * The lines of the graph that TLC writes with `-dump dot,actionlabels`.
 *
 * Such a graph has the names of actions but not their arguments: several edges between two states with one name stand for
 * several arguments. It serves where Java cannot run `GraphWriter.java`.
 */
import type { Line } from "./Graph.ts"
import { parseState } from "./Trace.ts"

const edge = /^(-?\d+) -> (-?\d+) \[(?:label="((?:[^"\\]|\\.)*)",|style="dashed"\];$)/
const node = /^(-?\d+) \[label="((?:[^"\\]|\\.)*)"(,style = filled)?\];?$/
const decoration = /^(?:nodesep=|color="|label="|\{rank = same;)/

const unescape = (text: string): string =>
  text.includes("\\") ? text.replace(/\\(.)/g, (_, char: string) => char === "n" ? "\n" : char) : text

const noArguments: Readonly<Record<string, string>> = {}

/**
 * Makes a function that says what each line means. Dashed edges, which are stuttering steps that TLC draws when it checks
 * liveness, are skipped. The graph stands in a subgraph, so it takes two closing braces to end it.
 */
export const makeReadLine = (): (text: string) => Line => {
  let depth = 0
  return (text) => {
    const arrow = edge.exec(text)
    if (arrow !== null) {
      if (arrow[3] === undefined) return { _tag: "Skip" }
      return {
        _tag: "Edge",
        source: arrow[1]!,
        target: arrow[2]!,
        action: unescape(arrow[3]),
        arguments: noArguments
      }
    }
    const state = node.exec(text)
    if (state !== null) {
      return {
        _tag: "State",
        id: state[1]!,
        initial: state[3] !== undefined,
        variables: parseState(unescape(state[2]!))
      }
    }
    if (text.endsWith(" {")) return { _tag: ++depth === 1 && text.startsWith("strict digraph ") ? "Start" : "Skip" }
    if (text === "}") return { _tag: --depth === 0 ? "End" : "Skip" }
    return { _tag: text === "" || decoration.test(text) ? "Skip" : "Foreign" }
  }
}
