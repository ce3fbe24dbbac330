/**
 * States as TLC writes them: `/\ x = 1` lines for every variable, and the header lines of a counterexample.
 *
 * Values stay TLA+ text; `Value.ts` parses them where somebody needs them.
 */

/** One state of a counterexample. */
export interface TraceState {
  /** 1 for the initial state. */
  readonly index: number
  /** Action that led here; `undefined` for the initial state and where TLC knows no name. */
  readonly action: string | undefined
  /** Place of that action, as `line 11, col 11 to line 13, col 40 of module Counter`. */
  readonly location: string | undefined
  readonly variables: Readonly<Record<string, string>>
}

const conjunct = /^(?:\/\\ )?([A-Za-z0-9_!]+) = /

/**
 * Splits the text of a state into variables. A line that starts in the first column with `/\ name = ` begins one; longer
 * values are continued on indented lines. A specification with one variable is written without the `/\`.
 */
export const parseState = (text: string): Record<string, string> => {
  const variables: Record<string, string> = {}
  let current: string | undefined
  for (const line of text.split("\n")) {
    const start = current === undefined || line.startsWith("/\\ ") ? conjunct.exec(line) : null
    if (start !== null) {
      current = start[1]!
      variables[current] = line.slice(start[0].length)
    } else if (current !== undefined && line.trim() !== "") {
      variables[current] += `\n${line}`
    }
  }
  return variables
}

/** Action and place out of `<Add line 11, col 11 to line 13, col 40 of module Counter>`. */
export const parseAction = (text: string): Pick<TraceState, "action" | "location"> => {
  const match = /^<(.+?) (line \d+, col \d+ to line \d+, col \d+ of module [^>]+)>/.exec(text.trim())
  if (match === null) return { action: undefined, location: undefined }
  // TLC calls a disjunct that stands in no definition of its own "Action".
  return { action: match[1] === "Action" ? undefined : match[1], location: match[2] }
}

/** The text of a message 2217: `2: <Add line …>` and the state below it. */
export const parseTraceState = (text: string): TraceState | undefined => {
  const newline = text.indexOf("\n")
  const header = /^(\d+): (.*)$/.exec(newline < 0 ? text : text.slice(0, newline))
  if (header === null) return undefined
  return {
    index: Number(header[1]),
    ...parseAction(header[2]!),
    variables: newline < 0 ? {} : parseState(text.slice(newline + 1))
  }
}
