/**
 * Judging a history from its bytes, as they come: memory holds what the judge keeps and one piece of the file.
 *
 * Strict: a line that is none of the format, or that contradicts the lines before it, ends the reading with its number; so
 * does a last line that is cut off. An empty file is no history.
 */
import { Result } from "effect"
import { StringDecoder } from "node:string_decoder"
import type { Report } from "./Judge.ts"
import * as Judge from "./Judge.ts"
import * as Line from "./Line.ts"

/** Why a file is no history. */
export interface Refused {
  /** From 1; 0 for a file without lines. */
  readonly line: number
  /** What is wrong, and how to mend it. */
  readonly message: string
}

/** Reads one history. */
export interface Reading {
  /** Takes the next bytes; `false` when the history is refused, after which all others are ignored. */
  readonly push: (bytes: Uint8Array) => boolean
  /** How many lines have been taken. */
  readonly lines: () => number
  /** To be asked once, when there are no more bytes. */
  readonly end: () => Result.Result<Report, Refused>
}

/** No line is that long, in UTF-16 code units; a file without line ends must not fill the memory. */
const longest = 2 ** 27

const described = "'keos schema history' describes the lines"

/** Starts with nothing read. */
export const make = (): Reading => {
  const decoder = new StringDecoder("utf8")
  const judge = Judge.make()
  let rest = ""
  let lines = 0
  let refused: Refused | undefined

  const take = (text: string, isLast: boolean): void => {
    lines++
    const event = Line.parse(text)
    if (Result.isFailure(event)) {
      const why = isLast && event.failure.startsWith("not JSON")
        ? "the last line is cut off; write the history to its end, or remove the line"
        : `${event.failure}; ${described}`
      refused = { line: lines, message: why }
      return
    }
    const contradiction = judge.take(event.success)
    if (contradiction !== undefined) refused = { line: lines, message: contradiction }
  }

  return {
    push: (bytes) => {
      if (refused !== undefined) return false
      const text = rest + decoder.write(bytes)
      let begin = 0
      for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", begin)) {
        take(text.slice(begin, end), false)
        if (refused !== undefined) return false
        begin = end + 1
      }
      rest = text.slice(begin)
      if (rest.length > longest) refused = { line: lines + 1, message: `the line does not end; ${described}` }
      return refused === undefined
    },
    lines: () => lines,
    end: () => {
      rest += decoder.end()
      if (refused === undefined && rest.trim() !== "") take(rest, true)
      if (refused !== undefined) return Result.fail(refused)
      return lines === 0
        ? Result.fail({ line: 0, message: `the history is empty; ${described}` })
        : Result.succeed(judge.report())
    }
  }
}
